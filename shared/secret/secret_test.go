package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"bff.internal/shared/secret"
)

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	holder := struct{ Password secret.String }{secret.New(value)}

	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("message", "password", holder.Password, "holder", holder)
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}

	for name, printed := range map[string]string{
		"slog":       logged.String(),
		"JSON":       string(encoded),
		"%v":         fmt.Sprintf("%v %v", holder.Password, &holder.Password),
		"%+v":        fmt.Sprintf("%+v", holder),
		"%#v":        fmt.Sprintf("%#v %#v", holder, holder.Password),
		"%s, %q, %x": fmt.Sprintf("%s %q %x", holder.Password, holder.Password, holder.Password),
	} {
		if strings.Contains(printed, value) || strings.Contains(printed, fmt.Sprintf("%x", value)) {
			t.Errorf("printed by %s: %s", name, printed)
		}
	}
	if holder.Password.Reveal() != value {
		t.Errorf("Reveal() = %q, want the value", holder.Password.Reveal())
	}
}

func TestAnEmptySecretIsVisiblyNotSet(t *testing.T) {
	t.Parallel()
	var none secret.String
	if !none.IsZero() || none.String() != "" {
		t.Errorf("IsZero() = %v, String() = %q; want true and nothing", none.IsZero(), none.String())
	}
}
