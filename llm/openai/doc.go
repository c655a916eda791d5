// Package openai is the language model behind any server that speaks the
// OpenAI chat-completions API: the cloud, vLLM, llama.cpp, Ollama and others.
// Text is passed on as it comes; the reasoning of reasoning models is left out.
//
// A reply is tried again only before its first piece of text: what was spoken
// is never said twice. It ends when the stream goes silent or without end.
//
// May import: llm, internal/endpoint, internal/fault, the OpenAI client and the
// standard library.
// Concurrency: an Engine is safe for concurrent use; all its replies share one
// pool of connections.
package openai
