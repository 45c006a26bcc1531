package upstream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// nested is JSON of the given depth.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// array is one that holds the value n times.
func array(value string, n int) string { return "[" + strings.Repeat(value+",", n-1) + value + "]" }

func TestLimitsOfJSON(t *testing.T) {
	t.Parallel()
	escaped := `"` + strings.Repeat(`\"[{\\`, 10_000) + `"`
	for _, tt := range []struct {
		name, content string
		want          error
	}{
		{"an order", anOrder, nil},
		{"nothing", "", nil},
		{"as deep as can be", nested(maxJSONDepth), nil},
		{"one level deeper", nested(maxJSONDepth + 1), errTooDeep},
		{"one level deeper, in objects", strings.Repeat(`{"":`, maxJSONDepth+1), errTooDeep},
		{"as deep, over and over", array(nested(maxJSONDepth-1), 100), nil},
		{"a bracket in a string is text", `["` + strings.Repeat("[{", 50_000) + `"]`, nil},
		{"so is one behind an escape", array(escaped, 2), nil},
		{"a string that ends with a backslash ends", array(`"\\"`, maxJSONElements+1), errTooMany},
		{"as many elements as can be", array("{}", maxJSONElements), nil},
		{"one element more", array("{}", maxJSONElements+1), errTooMany},
		{"nulls are elements", array("null", maxJSONElements+1), errTooMany},
		{"so are numbers", array("-1.5e+7", maxJSONElements+1), errTooMany},
		{"so are strings", array(`""`, maxJSONElements+1), errTooMany},
		{"elements of all arrays count", array(array("0", 99), maxJSONElements/100+1), errTooMany},
		{"as many tokens as can be", `[[],` + strings.Repeat(`{"a":0},`, maxJSONTokens/3-1) + `{"a":0}]`, nil},
		{"one token more", `[[],[],` + strings.Repeat(`{"a":0},`, maxJSONTokens/3-1) + `{"a":0}]`, errTooMany},
		{"the most empty objects that an answer has room for", array("{}", defaultMaxAnswer/3), errTooMany},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := withinLimits([]byte(tt.content)); !errors.Is(got, tt.want) {
				t.Errorf("withinLimits = %v, want %v", got, tt.want)
			}
		})
	}
}

// walk counts as withinLimits does, with a real parser, up to the first mistake.
func walk(content []byte) (depth, tokens, elements int, err error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(content))
	for {
		parent, length := decoder.StackIndex(decoder.StackDepth())
		token, err := decoder.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return depth, tokens, elements, nil
		case err != nil:
			return depth, tokens, elements, err
		case token.Kind() == '}', token.Kind() == ']':
			continue
		case parent == '[' && length >= 0:
			elements++
		}
		tokens++
		depth = max(depth, decoder.StackDepth())
	}
}

// FuzzWithinLimits looks for JSON on which the pass over the bytes and a parser disagree, and for content whose valid
// beginning alone is beyond the limits and passes.
func FuzzWithinLimits(f *testing.F) {
	for _, seed := range []string{
		anOrder, `[]`, `{"a":[1,{"b":null}],"c":"\\\"]"}`, `"\u0022[\\"`, " [ true , -0.5E+1 ] ", `[1 2]`, `{"a":{}}{}`, "[\"\xff\"]",
		nested(maxJSONDepth), nested(maxJSONDepth + 1), "nulltrue", `]]]]`, `{"a`, `[0,`,
	} {
		f.Add([]byte(seed), uint16(1))
	}
	f.Add([]byte("{},"), uint16(maxJSONElements))
	f.Add([]byte(`{"":0},`), uint16(maxJSONTokens/3))
	f.Fuzz(func(t *testing.T, content []byte, times uint16) {
		if times > 1 && len(content) < 16 {
			content = append([]byte("["), bytes.Repeat(content, int(times))...)
			content = append(bytes.TrimSuffix(content, []byte(",")), ']')
		}
		got := withinLimits(content)
		depth, tokens, elements, invalid := walk(content)
		beyond := depth > maxJSONDepth || tokens > maxJSONTokens || elements > maxJSONElements
		if beyond && got == nil || invalid == nil && !beyond && got != nil {
			t.Errorf("withinLimits = %v; a parser finds depth %d, %d tokens, %d elements, %v", got, depth, tokens, elements, invalid)
		}
	})
}

func BenchmarkWithinLimits(b *testing.B) {
	for _, tt := range []struct{ name, content string }{
		{"an order", anOrder},
		{"a page of orders", `{"orders":` + array(anOrder, 12) + `}`},
		{"the most that passes", array("{}", maxJSONElements)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			content := []byte(tt.content)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if err := withinLimits(content); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const anOrder = `{"id":"ord_1","status":"cancelled","placedAt":"2026-03-02T10:00:00Z","total":{"amount":3300,"currency":"EUR"},` +
	`"items":[{"sku":"CUP-51233","name":"Mug","quantity":2,"price":{"amount":1650,"currency":"EUR"}}],` +
	`"shipping":{"carrier":"DHL","trackingNumber":"T1","estimatedDelivery":"2026-03-05"}}`
