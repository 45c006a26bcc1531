// Package web is the HTTP edge that every BFF starts from, and the one place where net/http meets echo:
// trace, log event, recovery, security headers, path rules and body limit around all routes; one path from
// an error to its problem; whole and partial answers, compressed for who wants it and sent once to who keeps them.
package web
