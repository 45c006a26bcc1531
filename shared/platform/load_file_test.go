package platform_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/platform"
)

func TestASecretMayComeFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, empty, missing := file("plain", "redis://:hunter2@redis:6379"), file("empty", "\n"), filepath.Join(dir, "missing")
	tests := []struct {
		name    string
		environ []string
		url     string
		keys    []string
		err     string
	}{
		{name: "which may end in a line break or not", environ: []string{"REDIS_URL_FILE=" + plain}, url: "redis://:hunter2@redis:6379"},
		{name: "of which one line break is no part of it", environ: []string{"REDIS_URL_FILE=" + plain, "SESSION_KEYS_FILE=" + file("keys", "new,old\n\n")}, url: "redis://:hunter2@redis:6379", keys: []string{"new", "old\n"}},
		{name: "as Windows writes it", environ: []string{"REDIS_URL_FILE=" + file("windows", "redis://redis:6379\r\n")}, url: "redis://redis:6379"},
		{name: "but not from both", environ: []string{"REDIS_URL_FILE=" + plain, "REDIS_URL=redis://:hunter2@other:6379"}, err: "REDIS_URL: is set, and REDIS_URL_FILE too; wants one of them"},
		{name: "which has to be there", environ: []string{"REDIS_URL_FILE=" + missing}, err: fmt.Sprintf("REDIS_URL_FILE: %q cannot be read: no such file or directory; wants a file with the value of REDIS_URL", missing)},
		{name: "which has to hold something", environ: []string{"REDIS_URL_FILE=" + empty}, err: fmt.Sprintf("REDIS_URL_FILE: %q is empty; wants a file with the value of REDIS_URL", empty)},
		{name: "what is no secret does not", environ: []string{"REDIS_URL_FILE=" + plain, "COLOUR_FILE=" + missing}, url: "redis://:hunter2@redis:6379"},
		{name: "and is judged like any other", environ: []string{"REDIS_URL_FILE=" + file("wrong", "hunter2")}, err: "REDIS_URL: is no URL (special characters in a password are written like %40); wants redis://[user:password@]host:port[/db] or one of the forms that --help shows"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := newServiceConfig()
			err := platform.Load(&cfg, append([]string{"USERS_URLS=http://users:9001"}, test.environ...))
			if (err == nil) != (test.err == "") || (err != nil && err.Error() != test.err) {
				t.Fatalf("Load: %v, want %q", err, test.err)
			}
			if err != nil {
				return
			}
			var keys []string
			for _, key := range cfg.Keys {
				keys = append(keys, key.Reveal())
			}
			if diff := cmp.Diff(test.keys, keys); diff != "" || cfg.Platform.RedisURL.Reveal() != test.url {
				t.Errorf("REDIS_URL %q, SESSION_KEYS (-want +got):\n%s", cfg.Platform.RedisURL.Reveal(), diff)
			}
		})
	}
}
