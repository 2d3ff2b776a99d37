// Reads a compose file as Docker's own tool does, by the library that it uses, and prints what the file comes to as JSON.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv, cli.WithResolvedPaths(true))
	if err != nil {
		fail(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err)
	}
	if err := project.CheckContainerNameUnicity(); err != nil {
		fail(err)
	}
	shown, err := project.MarshalJSON()
	if err != nil {
		fail(err)
	}
	fmt.Println(string(shown))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
