package bus

// Reached tells Options.Reached, as "WHERE WHAT", that the process comes to a
// boundary between two steps, where a crash may part them. The bus itself comes
// to these:
//
//	STREAM before publish          nothing of the message is stored yet
//	STREAM after publish           it is stored, who sent it does not know
//	CONSUMER before ack            the handler is through
//
// Services name further ones. Without Options.Reached it does nothing.
func (b *Bus) Reached(where, what string) {
	if b.reached != nil {
		b.reached(where + " " + what)
	}
}
