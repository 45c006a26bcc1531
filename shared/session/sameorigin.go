package session

import (
	"errors"
	"net/http"
	"slices"

	"bff.internal/shared/problem"
)

// CSRFHeader is what every call of the application's own pages carries, with the value 1. A page of another origin
// cannot send it: browsers ask first, and are not answered.
const CSRFHeader = "X-CSRF"

// SameOrigin returns a middleware that lets only pages of the origin, such as https://app.example.com, call, whatever
// the method: the request carries CSRFHeader, and neither Sec-Fetch-Site nor Origin says otherwise. It is for routes
// that trust a cookie, and judges before anybody looks at that. The error is a 403 problem.
func SameOrigin(origin string, fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(origin); err != nil { // the proxy in front may have changed Host
		panic("session: " + err.Error())
	}
	check := func(r *http.Request) error {
		if !slices.Equal(r.Header.Values(CSRFHeader), []string{"1"}) {
			return errors.New("no header " + CSRFHeader + ": 1")
		}
		for _, from := range r.Header.Values("Sec-Fetch-Site") {
			if from != "same-origin" && from != "none" {
				return errors.New("the request's Sec-Fetch-Site is not same-origin")
			}
		}
		for _, from := range r.Header.Values("Origin") {
			if from != origin {
				return errors.New("the request's Origin is another one")
			}
		}
		return protection.Check(r) // of which nothing should be left to find
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := check(r); err != nil {
				fail(w, r, problem.New(http.StatusForbidden, "csrf",
					"Calls need the header X-CSRF: 1, and may come from pages of this origin alone.").Because(err))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
