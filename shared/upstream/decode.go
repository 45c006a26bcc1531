package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads the value out of an answer that receive has let through.
func decode(resp *http.Response, value any) error {
	content := received(resp)
	if err := withinLimits(content); err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return withoutContent(err)
	}
	if v, ok := value.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// withoutContent says where a value is wrong and not what it is, for that goes to the log.
func withoutContent(err error) error {
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("JSON %v at %.64q is no %v", wrong.JSONKind, wrong.JSONPointer, wrong.GoType)
	}
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("no valid JSON at byte %d", wrong.ByteOffset)
	}
	return errors.New("no valid JSON")
}

// isJSON does not look at parameters: the only one that could matter is charset, and what is no UTF-8 is no JSON.
func isJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.TrimSpace(mediaType)
	const suffix = "+json"
	return strings.EqualFold(mediaType, "application/json") ||
		len(mediaType) > len(suffix) && strings.EqualFold(mediaType[len(mediaType)-len(suffix):], suffix)
}
