package realtime

import "sync"

// socketsPerUser is how many sockets a user may have at one replica: so many tabs.
const socketsPerUser = 20

// counts is how many sockets each user has. The zero value counts from nothing.
type counts struct {
	mu    sync.Mutex
	users map[string]int
}

// add counts one more and returns how many there were before.
func (c *counts) add(user string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = make(map[string]int)
	}
	before := c.users[user]
	c.users[user]++
	return before
}

func (c *counts) remove(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users[user]--; c.users[user] <= 0 {
		delete(c.users, user)
	}
}
