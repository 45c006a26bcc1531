package partner

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/bff-partner/internal/view"
	"bff.internal/shared/auth"
	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/fanout"
	"bff.internal/shared/web"
)

// What the dashboard waits for, and how long: a program has time, and no use for half of its data.
const (
	dashboardWithin = 2 * time.Second
	metricsWithin   = 800 * time.Millisecond
)

func (s *service) dashboard(c echo.Context) error {
	ctx := c.Request().Context()
	partner := callingPartner(ctx)
	calls := fanout.New(ctx, dashboardWithin)
	user := fanout.Required(calls, "user", s.users.Partner, partner)
	active := fanout.Required(calls, "activeOrders", s.orders.List, orders.Query{Partner: partner, Status: "active"})
	metrics := fanout.Optional(calls, "metrics", s.analytics.Metrics, analytics.Query{Partner: partner}, fanout.Within(metricsWithin))
	report, err := calls.Wait()
	if err != nil {
		return err
	}
	return web.Partial(c, view.NewDashboard(user.Value(), active.Value(), metrics.Value()), report)
}

// callingPartner is the id of the partner whose key the request came with: the only one whose data it can get.
func callingPartner(ctx context.Context) string {
	caller, ok := auth.CallerFrom(ctx)
	if !ok || caller.Kind != auth.KindPartner {
		panic("partner: a request of no partner") // the route lacks the middleware that authenticates
	}
	return caller.ID
}
