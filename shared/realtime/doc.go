// Package realtime keeps sockets open to browsers and tells them what has changed, on whichever replica of a
// BFF each of them is.
//
// A socket speaks the JSON protocol of the centrifuge library, for which clients exist in JavaScript, Swift,
// Kotlin and Dart. It belongs to the session that opened it: the library's connect command carries no token.
// The server subscribes it to its user's personal channel, and that is all there is; whatever else a client asks
// for is refused. What a socket misses while it is away it gets when it comes back (100 messages, 5 minutes), or
// it is told that it missed something (recovered: false) and asks for the whole again.
//
// A socket ends with a code. Clients come back by themselves after 3000–3499 and 4000–4499, and stay away after
// 3500–3999 and 4500–4999:
//
//	3001 shutdown            this replica stops; come back, to another one
//	3004 server error        Redis does not answer, so nothing can be subscribed; come back
//	3008 slow                256 KiB wait for the client; one that reads nothing for 2 s is cut without a word
//	3010 insufficient state  something was missed; come back and recover it
//	3012 no pong             nothing came back for 10 s after a ping
//	3501 bad request         what was sent is not the protocol
//	3502 stale               no connect command within 5 s
//	3504 connection limit    the user has 20 sockets at this replica already
//	3508 not available       a message of a kind that nobody here listens to
//	4501 session ended       logged out, revoked or expired
//	4502 too many messages   more than 20 commands or 40 frames a second
//
// and with 1009 when a message is larger than 16 KiB.
package realtime
