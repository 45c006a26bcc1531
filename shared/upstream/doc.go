// Package upstream calls the services behind a BFF. A Client speaks JSON to one service over a stack of
// http.RoundTripper layers, one file each; the order of the layers is written down in stack.go and nowhere
// else. What goes wrong is an *Error, which knows how it looks from outside.
package upstream
