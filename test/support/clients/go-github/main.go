// Reads deliveries of webhooks from standard input, one line of JSON each, and prints what go-github makes of them.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/go-github/github"
)

type delivery struct{ Event, Signature, Body string }

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	for lines.Scan() {
		var d delivery
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			panic(err)
		}
		body, err := base64.StdEncoding.DecodeString(d.Body)
		if err != nil {
			panic(err)
		}
		if err := github.ValidateSignature(d.Signature, body, []byte("s3cret")); err != nil {
			fmt.Println("refused:", err)
			continue
		}
		parsed, err := github.ParseWebHook(d.Event, body)
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		switch event := parsed.(type) {
		case *github.PushEvent:
			fmt.Println("push", event.GetRef(), event.GetBefore(), event.GetAfter(), event.GetPusher().GetName(), len(event.Commits), event.GetRepo().GetFullName())
		case *github.CreateEvent:
			fmt.Println("create", event.GetRefType(), event.GetRef(), event.GetMasterBranch(), event.GetRepo().GetFullName())
		case *github.DeleteEvent:
			fmt.Println("delete", event.GetRefType(), event.GetRef(), event.GetRepo().GetFullName())
		case *github.PingEvent:
			fmt.Println("ping", event.GetHookID(), event.GetHook().GetType(), event.GetHook().Events)
		default:
			fmt.Printf("other %T\n", event)
		}
	}
}
