// Runs Starlark programs by starlark-go under Tilt's dialect: a JSON string a line in, an answer a line out.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const (
	maxSteps  = 1_000_000
	maxOutput = 1_000_000
)

var tiltDialect = &syntax.FileOptions{
	Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true,
}

// An answer holds what a program printed and its error. Text is base64 in JSON: Starlark prints any bytes.
type answer struct {
	Text    []byte
	Failed  bool
	Skipped bool
}

func run(source string) (result answer) {
	var out strings.Builder
	defer func() {
		if recover() != nil { // a panic is starlark-go's own defect, and says nothing about ours
			result = answer{Skipped: true}
		}
	}()
	thread := &starlark.Thread{Name: "fuzz", Print: func(thread *starlark.Thread, message string) {
		out.WriteString(message)
		out.WriteByte('\n')
		if out.Len() > maxOutput {
			thread.Cancel("it prints too much")
		}
	}}
	thread.SetMaxExecutionSteps(maxSteps)
	_, err := starlark.ExecFileOptions(tiltDialect, thread, "fuzz.star", source, nil)
	if err != nil {
		out.WriteString(err.Error())
		result.Skipped = strings.Contains(err.Error(), "cancelled: ")
	}
	result.Text, result.Failed = []byte(out.String()), err != nil
	return result
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := json.NewEncoder(os.Stdout)
	for in.More() {
		var source string
		if err := in.Decode(&source); err != nil {
			panic(err)
		}
		if err := out.Encode(run(source)); err != nil {
			panic(err)
		}
	}
}
