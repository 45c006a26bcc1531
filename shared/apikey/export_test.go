package apikey

// WellFormed returns a key with the id that nobody made.
func WellFormed(id string) string {
	text := prefix + id + "_" + randomText(base62, randomLength)
	return text + checksum(text)
}
