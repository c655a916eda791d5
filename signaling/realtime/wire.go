package realtime

import (
	"encoding/json"
	"fmt"

	"parley/internal/timeline"
)

// The server events. Where a field may be null its type is a pointer without
// omitempty; where strict clients refuse null it is left out instead.

// header opens every server event.
type header struct {
	Type    string `json:"type"`
	EventID string `json:"event_id"`
}

func (h *header) stamp(kind, id string) { h.Type, h.EventID = kind, id }

// event is a server event that can be given its type and id.
type event interface{ stamp(kind, id string) }

type (
	plainEvent struct{ header }

	sessionEvent struct {
		header
		Session sessionOut `json:"session"`
	}
	conversationEvent struct {
		header
		Conversation struct {
			ID     string `json:"id"`
			Object string `json:"object"`
		} `json:"conversation"`
	}
	itemEvent struct {
		header
		Previous *string `json:"previous_item_id"`
		Item     item    `json:"item"`
	}
	retrievedEvent struct {
		header
		Item item `json:"item"`
	}
	deletedEvent struct {
		header
		ItemID string `json:"item_id"`
	}
	truncatedEvent struct {
		header
		ItemID       string `json:"item_id"`
		ContentIndex int    `json:"content_index"`
		AudioEndMS   int64  `json:"audio_end_ms"`
	}
	startedEvent struct {
		header
		StartMS int64  `json:"audio_start_ms"`
		ItemID  string `json:"item_id"`
	}
	stoppedEvent struct {
		header
		EndMS  int64  `json:"audio_end_ms"`
		ItemID string `json:"item_id"`
	}
	committedEvent struct {
		header
		Previous *string `json:"previous_item_id"`
		ItemID   string  `json:"item_id"`
	}
	transcriptDelta struct {
		header
		ItemID       string `json:"item_id"`
		ContentIndex int    `json:"content_index"`
		Delta        string `json:"delta"`
	}
	transcriptCompleted struct {
		header
		ItemID       string        `json:"item_id"`
		ContentIndex int           `json:"content_index"`
		Transcript   string        `json:"transcript"`
		Usage        durationUsage `json:"usage"`
	}
	transcriptFailed struct {
		header
		ItemID       string    `json:"item_id"`
		ContentIndex int       `json:"content_index"`
		Error        partError `json:"error"`
	}
	responseEvent struct {
		header
		Response response `json:"response"`
	}
	outputItemEvent struct {
		header
		ResponseID  string `json:"response_id"`
		OutputIndex int    `json:"output_index"`
		Item        item   `json:"item"`
	}
	// partEvent is about the one content part a reply has; exactly one of the
	// optional fields is used by each type.
	partEvent struct {
		header
		ResponseID   string  `json:"response_id"`
		ItemID       string  `json:"item_id"`
		OutputIndex  int     `json:"output_index"`
		ContentIndex int     `json:"content_index"`
		Part         *part   `json:"part,omitempty"`
		Delta        *string `json:"delta,omitempty"`
		Transcript   *string `json:"transcript,omitempty"`
		Text         *string `json:"text,omitempty"`
	}
	playbackEvent struct {
		header
		ResponseID string `json:"response_id"`
	}
	errorEvent struct {
		header
		Error wireError `json:"error"`
	}

	partialEvent struct {
		header
		ItemID     string `json:"item_id"`
		Transcript string `json:"transcript"`
	}
	heardEvent struct {
		header
		ResponseID string `json:"response_id"`
		ItemID     string `json:"item_id"`
		Transcript string `json:"transcript"`
		PositionMS int64  `json:"position_ms"`
	}
	turnEvent struct {
		header
		Turn     int               `json:"turn"`
		Status   string            `json:"status"`
		Reason   string            `json:"reason,omitempty"`
		Input    string            `json:"input"`
		User     string            `json:"user"`
		Heard    string            `json:"heard"`
		Timeline timeline.Timeline `json:"timeline"`
	}
	noticeEvent struct {
		header
		Stage   string `json:"stage"`
		Kind    string `json:"kind"`
		Message string `json:"message"`
	}
	timerEvent struct {
		header
		State string `json:"state"`
		Label string `json:"label"`
		Due   string `json:"due,omitempty"` // RFC 3339
	}
	byeEvent struct {
		header
		Reason string `json:"reason"`
	}
)

type durationUsage struct {
	Type    string  `json:"type"`
	Seconds float64 `json:"seconds"`
}

type partError struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type wireError struct {
	Type    string  `json:"type"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Param   *string `json:"param"`
	EventID *string `json:"event_id"`
}

// item is a message of the conversation.
type item struct {
	ID      string    `json:"id"`
	Object  string    `json:"object"`
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Role    string    `json:"role"`
	Content []content `json:"content"`
}

// content is a piece of an item. Transcript is a pointer to a pointer so that
// an input_audio piece can say null where a strict client demands the key.
type content struct {
	Type       string   `json:"type"`
	Text       *string  `json:"text,omitempty"`
	Transcript **string `json:"transcript,omitempty"`
}

// part is a piece of a response; its types are "audio" and "text", other than in an item.
type part struct {
	Type       string  `json:"type"`
	Text       *string `json:"text,omitempty"`
	Transcript *string `json:"transcript,omitempty"`
}

type response struct {
	Object         string         `json:"object"`
	ID             string         `json:"id"`
	Status         string         `json:"status"`
	Details        *statusDetails `json:"status_details"`
	Output         []item         `json:"output"`
	ConversationID string         `json:"conversation_id"`
	Modalities     []string       `json:"output_modalities"`
	MaxTokens      string         `json:"max_output_tokens"`
	Usage          *usage         `json:"usage"`
}

type statusDetails struct {
	Type   string         `json:"type"`
	Reason string         `json:"reason,omitempty"`
	Error  *responseError `json:"error,omitempty"`
}

type responseError struct {
	Type string `json:"type"`
	Code string `json:"code"`
}

// usage counts nothing: models are reached through ports that do not tell.
type usage struct {
	Total  int `json:"total_tokens"`
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// mustJSON marshals values of this package's own types, which cannot fail.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("realtime: marshal %T: %v", v, err))
	}
	return data
}
