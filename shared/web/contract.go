package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Contract serves a BFF's OpenAPI document. It is public, and may be kept for five minutes.
func Contract(document []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public, max-age=300")
		return c.Blob(http.StatusOK, "application/yaml", document)
	}
}
