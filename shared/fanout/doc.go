// Package fanout makes concurrent calls for the sections of one answer. A required section that fails
// ends the whole answer; an optional one that fails is reported and left out. Every section has a
// deadline, and a panic in one is that section's error and nobody else's.
//
// A handler declares its sections, waits, and shapes what it got:
//
//	calls := fanout.New(ctx, 800*time.Millisecond)
//	user := fanout.Required(calls, "user", s.users.Get, "me")
//	active := fanout.Optional(calls, "activeOrders", s.orders.List, query, fanout.Within(400*time.Millisecond))
//	report, err := calls.Wait()
//	if err != nil {
//		return err
//	}
//	return web.Partial(c, view.NewDashboard(user.Value(), active.Value()), report)
//
// A chain (orders, then their shipments) is one section: a small function that makes both calls.
package fanout
