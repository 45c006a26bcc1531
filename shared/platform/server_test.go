package platform

import (
	"testing"
	"time"
)

func TestTheServerWaitsForHonestClients(t *testing.T) {
	t.Parallel()
	for _, maxBody := range []int64{1, 1 << 20, 10 << 20, largestMaxBody} {
		server := newServer(nil, maxBody, nil)
		upload := time.Duration(maxBody) * time.Second / (64 << 10)
		if spare := server.ReadTimeout - server.ReadHeaderTimeout - upload; spare < 0 {
			t.Errorf("of %d bytes: an upload of %v at 64 KiB/s has %v too little", maxBody, upload, -spare)
		}
		if answer := server.WriteTimeout - upload; answer < 29*time.Second {
			t.Errorf("of %d bytes: after an upload of %v there are %v for the answer", maxBody, upload, answer)
		}
	}
}

func TestTheServerOutlivesTheKeepAliveOfBalancers(t *testing.T) {
	t.Parallel()
	if server := newServer(nil, 1, nil); server.IdleTimeout <= 60*time.Second {
		t.Errorf("idle connections are closed after %v, want more than the 60s of balancers", server.IdleTimeout)
	}
}

func TestTheAdminServerWaitsForProfiles(t *testing.T) {
	t.Parallel()
	if server := newAdminServer(nil, nil); server.ReadTimeout != 0 || server.ReadHeaderTimeout == 0 {
		t.Errorf("ReadTimeout %v, ReadHeaderTimeout %v; want only the latter", server.ReadTimeout, server.ReadHeaderTimeout)
	}
}

func TestCallsToServicesIgnoreTheProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if newTransport().Proxy != nil {
		t.Error("there is a proxy")
	}
}
