package upstream

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func decode(resp *http.Response, value any) error {
	if contentType := resp.Header.Get("Content-Type"); !isJSON(contentType) {
		return fmt.Errorf("content type %.64q is not JSON", contentType)
	}
	if coding := resp.Header.Get("Content-Encoding"); coding != "" {
		return fmt.Errorf("content coding %.64q was not asked for", coding)
	}
	if err := json.Unmarshal(received(resp), value); err != nil {
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

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}
