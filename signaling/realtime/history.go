package realtime

import "slices"

// keepItems is how many items an Encoder keeps for replay and retrieval; the
// oldest go first.
const keepItems = 256

// The states of an item.
const (
	statusInProgress = "in_progress"
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
)

// The kinds of content an item has; each item has one piece.
const (
	kindInputAudio  = "input_audio"
	kindInputText   = "input_text"
	kindOutputAudio = "output_audio"
	kindOutputText  = "output_text"
)

// entry is an item as the call knows it. text is nil where it is not known:
// speech without a transcript, or a reply of which nothing was said yet.
type entry struct {
	id     string
	role   string
	status string
	kind   string
	text   *string
}

// wire shows the entry as it stands; later changes do not reach the result.
func (e *entry) wire() item {
	it := item{ID: e.id, Object: "realtime.item", Type: "message", Status: e.status, Role: e.role, Content: []content{}}
	c := content{Type: e.kind}
	switch {
	case e.kind == kindInputAudio:
		c.Transcript = &e.text
	case e.text == nil:
		return it
	case e.kind == kindOutputAudio:
		c.Transcript = &e.text
	default:
		c.Text = e.text
	}
	it.Content = append(it.Content, c)
	return it
}

// hidden tells that nobody heard anything of the item, so that it is not shown again.
func (e *entry) hidden() bool {
	return e.role == "assistant" && e.status != statusInProgress && (e.text == nil || *e.text == "")
}

// history is the conversation's items in their order.
type history struct{ entries []*entry }

func (h *history) add(e *entry) {
	h.entries = append(h.entries, e)
	if len(h.entries) > keepItems {
		h.entries = slices.Delete(h.entries, 0, len(h.entries)-keepItems)
	}
}

func (h *history) remove(id string) {
	h.entries = slices.DeleteFunc(h.entries, func(e *entry) bool { return e.id == id })
}

func (h *history) find(id string) *entry {
	for _, e := range slices.Backward(h.entries) {
		if e.id == id {
			return e
		}
	}
	return nil
}

// last returns the id of the newest item, or nil where there is none.
func (h *history) last() *string {
	if len(h.entries) == 0 {
		return nil
	}
	return &h.entries[len(h.entries)-1].id
}

// addItem puts an item at the end of the conversation and announces it, with
// conversation.item.done where it is complete.
func (e *Encoder) addItem(it *entry, done bool) {
	previous := e.items.last()
	e.items.add(it)
	e.emit("conversation.item.added", &itemEvent{Previous: previous, Item: it.wire()})
	if done {
		e.emit("conversation.item.done", &itemEvent{Previous: previous, Item: it.wire()})
	}
}
