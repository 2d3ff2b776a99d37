// Command go-client asks Elasticsearch what OpenReplay asks, with the official client that OpenReplay uses.
//
// Usage: API_KEY_ID=... API_KEY=... go-client URL [SESSION]
//
// Without a session it asks what the button "Add" asks, with one what the panel beside a replay asks.
// It prints the hits as a JSON array; a failure goes to standard error, and the exit code is 1.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/elastic/go-elasticsearch/v9"
)

// The index that OpenReplay searches, whichever names were entered in its form.
const index = "logs"

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: API_KEY_ID=... API_KEY=... go-client URL [SESSION]"))
	}
	session := ""
	if len(os.Args) > 2 {
		session = os.Args[2]
	}
	hits, err := ask(os.Args[1], os.Getenv("API_KEY_ID"), os.Getenv("API_KEY"), session)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(hits); err != nil {
		fail(err)
	}
}

func ask(url, keyID, key, session string) ([]json.RawMessage, error) {
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{url},
		APIKey:    base64.StdEncoding.EncodeToString([]byte(keyID + ":" + key)),
	})
	if err != nil {
		return nil, err
	}

	query := map[string]any{"size": 1}
	if session != "" {
		phrase := map[string]any{"message": "openReplaySession.id=" + session}
		query = map[string]any{"size": 1000, "query": map[string]any{"match_phrase": phrase}}
	}
	body, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	answer, err := client.Search(
		client.Search.WithIndex(index),
		client.Search.WithBody(strings.NewReader(string(body))),
		client.Search.WithTrackTotalHits(true),
	)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.IsError() {
		return nil, errors.New(answer.String())
	}

	var found struct {
		Hits struct {
			Hits []json.RawMessage `json:"hits"`
		} `json:"hits"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return nil, err
	}
	if len(found.Hits.Hits) == 0 {
		return nil, errors.New("no logs found")
	}
	return found.Hits.Hits, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
