package upstream_test

import (
	"strings"
	"testing"

	"bff.internal/shared/upstream"
)

// FuzzReplicas looks for base URLs that are not read again as they are printed, and for secrets in an error.
func FuzzReplicas(f *testing.F) {
	for _, seed := range []string{
		"http://users:9001", " http://a:1 , https://b:2/base/ ", "http://[::1]:80/%2f", "http://root:hunter2@a", "http://a//", "http://a:1,", "http://a/?", "http://a#",
		"http://A", "http://a/../b", "http://a\x7f", "http://a:00080",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var replicas, again upstream.Replicas
		if err := replicas.UnmarshalText(text); err != nil {
			if replicas != nil {
				t.Errorf("%q is refused, and leaves %v", text, replicas)
			}
			return
		}
		printed := replicas.String()
		if err := again.UnmarshalText([]byte(printed)); err != nil || again.String() != printed {
			t.Errorf("%q is printed as %q, and that read as %q: %v", text, printed, again, err)
		}
		for _, replica := range replicas {
			if replica.User != nil || replica.Host == "" || strings.HasSuffix(replica.Path, "/") || replica.RawQuery != "" || replica.Fragment != "" {
				t.Errorf("%q is read as %#v", text, replica)
			}
		}
	})
}
