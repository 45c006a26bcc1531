package upstream_test

import (
	"strings"
	"testing"

	"bff.internal/shared/upstream"
)

func TestReplicas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, want string // "" means that the text is refused
	}{
		{"one", "http://users:9001", "http://users:9001"},
		{"several, with space around", " http://a:1 , https://b:2/base/ ", "http://a:1,https://b:2/base"},
		{"none", "", ""},
		{"an empty one", "http://a:1,", ""},
		{"no scheme", "users:9001", ""},
		{"a scheme that is not spoken", "ftp://users", ""},
		{"no host", "http:///users", ""},
		{"a port without a host", "http://:9001", ""},
		{"a port that is none", "http://a:99999", ""},
		{"port 0", "http://a:0", ""},
		{"a query", "http://a:1?x=1", ""},
		{"the same one twice", "http://a:1,http://a:1/", ""},
		{"the same one in two spellings", "http://a.test,http://A.test:80", ""},
		{"the same address in two spellings", "http://[::1]:1,http://[0:0::1]:1", ""},
		{"dots that lead out of the path", "http://a/x/..", ""},
		{"a password", "http://root:hunter2@a:1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var replicas upstream.Replicas
			err := replicas.UnmarshalText([]byte(tt.text))
			if got := replicas.String(); got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("Replicas = %q, %v; want %q", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
