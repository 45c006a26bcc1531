package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"bff.internal/shared/fanout"
	"bff.internal/shared/telemetry"
)

// PartialHeader lists the sections that are missing from an answer, as a structured-field list (RFC 9651):
// Bff-Partial: metrics;reason=timeout.
const PartialHeader = "Bff-Partial"

// Partial answers 200 with the body and, if a section is missing, says so: in the member "_meta" behind
// the body's own, in PartialHeader, and by forbidding every cache to keep it. A section that is stale is in "_meta" as
// well, with its age in seconds. T is a struct. Nil slices are null: what is unknown is not empty. A whole answer to a
// caller with credentials has an entity tag, and is a 304 without a body for whoever has it already.
func Partial[T any](c echo.Context, body T, report fanout.Report) error {
	header := c.Response().Header()
	note(telemetry.EventFrom(c.Request().Context()), header, report)
	full := struct {
		Body T     `json:",embed"`
		Meta *meta `json:"_meta,omitzero"` //nolint:tagliatelle // the underscore keeps it apart from the body's own members
	}{Body: body}
	full.Meta = metaOf(report)
	header["Cache-Control"] = cacheControl(report)
	cacheStatus(header, report)
	if report.Partial() {
		header[PartialHeader] = []string{partial(report)}
		return OK(c, full)
	}
	content, err := marshal(full)
	if err != nil {
		return err
	}
	if tag := tagOf(c.Request().Context(), content); tag != "" {
		header["Etag"] = []string{tag}
		if unchanged(c.Request(), tag) {
			c.Response().WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	write(c, content)
	return nil
}

// OK answers 200 with the body, which no cache keeps.
func OK[T any](c echo.Context, body T) error {
	content, err := marshal(body)
	if err != nil {
		return err
	}
	write(c, content)
	return nil
}

//nolint:gochecknoglobals // read-only, and shared by every answer
var (
	revalidate = []string{"private, no-cache"}
	noStore    = []string{"no-store"}
	jsonType   = []string{"application/json"}
)

func marshal(value any) ([]byte, error) {
	return json.Marshal(value, json.Deterministic(true), json.FormatNilSliceAsNull(true))
}

func write(c echo.Context, content []byte) {
	header := c.Response().Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(content))}
	c.Response().WriteHeader(http.StatusOK)
	_, _ = c.Response().Write(content) // the client may leave; there is nobody to tell
}

// meta is the member "_meta" of an answer that is not whole.
type meta struct {
	Sections map[string]sectionMeta `json:"sections"`
}

type sectionMeta struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitzero"`
	Age    *int64 `json:"age,omitzero"`
}

// metaOf is nil when every section is there and fresh.
func metaOf(report fanout.Report) *meta {
	var m *meta
	for _, s := range report.Sections {
		status := s.Status()
		if status == fanout.StatusOK {
			continue
		}
		if m == nil {
			m = &meta{Sections: map[string]sectionMeta{}}
		}
		about := sectionMeta{Status: status, Reason: s.Reason()}
		if status == fanout.StatusStale {
			about.Age = new(seconds(s.Use.Age))
		}
		m.Sections[s.Name] = about
	}
	return m
}

func partial(report fanout.Report) string {
	var list []string
	for _, s := range report.Sections {
		if s.Err != nil {
			list = append(list, s.Name+";reason="+s.Reason())
		}
	}
	return strings.Join(list, ", ")
}

// note tells the log and the caller (Server-Timing) how the sections came about, also when there is no
// answer.
func note(event *telemetry.Event, header http.Header, report fanout.Report) {
	sections := make([]telemetry.Section, len(report.Sections))
	timing := make([]byte, 0, 96)
	for i, s := range report.Sections {
		sections[i] = telemetry.Section{Name: s.Name, Status: s.Status(), Reason: s.Reason(), Err: s.Err, Duration: s.Took}
		if i > 0 {
			timing = append(timing, ", "...)
		}
		timing = append(append(timing, s.Name...), ";dur="...)
		timing = strconv.AppendFloat(timing, telemetry.Milliseconds(s.Took), 'f', 1, 64)
	}
	event.SetSections(sections)
	header["Server-Timing"] = []string{string(timing)}
}
