package upstream

import "errors"

// Bounds on the JSON of an answer. A screen is a few hundred values, five levels deep. Elements of arrays have a bound of
// their own: "{}," is three bytes, and whole structs once it is decoded.
const (
	maxJSONDepth    = 64 // what the bits of a uint64 can tell
	maxJSONTokens   = 20_000
	maxJSONElements = 10_000
)

var (
	errTooDeep = errors.New("the JSON is nested deeper than we take")
	errTooMany = errors.New("the JSON holds more values than we take")
)

// withinLimits refuses JSON that is nested too deeply, or that holds too many tokens, which are values and names of
// members, or too many elements of arrays. It is no parser: what is no JSON may pass. But all before the first mistake
// is counted exactly, so a decoder, which stops there, never sees more than the limits.
func withinLimits(content []byte) error {
	var depth, tokens, elements int
	var arrays uint64 // the last bit tells whether the innermost container is an array, the one before it of the next
	for i := 0; i < len(content); i++ {
		inArray := int(arrays & 1)
		switch c := content[i]; shapes[c] {
		case opens:
			if depth++; depth > maxJSONDepth {
				return errTooDeep
			}
			arrays <<= 1
			if c == '[' {
				arrays |= 1
			}
		case quotes:
			i = endOfString(content, i+1)
		case scalar:
			for i+1 < len(content) && shapes[content[i+1]] == scalar {
				i++
			}
		case closes:
			depth--
			arrays >>= 1
			continue
		default:
			continue
		}
		tokens++
		elements += inArray
		if tokens > maxJSONTokens || elements > maxJSONElements {
			return errTooMany
		}
	}
	return nil
}

// endOfString returns where the string ends whose content begins at i: at its closing quote, or behind the content.
func endOfString(content []byte, i int) int {
	for ; i < len(content) && content[i] != '"'; i++ {
		if content[i] == '\\' {
			i++
		}
	}
	return i
}

// shape is what a byte outside of a string says about the structure.
type shape uint8

const (
	between shape = iota // only separates: space, comma, colon
	opens
	closes
	quotes
	scalar // belongs to a number or a literal
)

var shapes = func() (table [256]shape) { //nolint:gochecknoglobals // read-only
	for c := range table {
		table[c] = scalar
	}
	for s, bytes := range map[shape]string{between: " \t\r\n,:", opens: "[{", closes: "]}", quotes: `"`} {
		for _, c := range []byte(bytes) {
			table[c] = s
		}
	}
	return table
}()
