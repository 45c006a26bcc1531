// Package api holds the public contract of bff-web.
package api

import _ "embed"

// Contract is openapi.yaml, as it is served.
//
//go:embed openapi.yaml
var Contract []byte
