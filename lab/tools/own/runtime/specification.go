package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where runc will read what to start: a whole container (config.json, the process is one part) or one more process.
type location struct {
	path    string
	process bool
}

func specification(arguments []string) location {
	switch {
	case slices.ContainsFunc(arguments, func(a string) bool { return a == "create" || a == "run" || a == "restore" }):
		return location{path: filepath.Join(option(arguments, "bundle", "b"), "config.json")}
	case slices.Contains(arguments, "exec"):
		return location{path: option(arguments, "process", "p"), process: true}
	}
	return location{}
}

func option(arguments []string, long, short string) string {
	for at, argument := range arguments {
		name, value, joined := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if !strings.HasPrefix(argument, "-") || (name != long && name != short) {
			continue
		}
		if joined {
			return value
		}
		if at+1 < len(arguments) {
			return arguments[at+1]
		}
	}
	return ""
}

func rewrite(file location) error {
	held, err := readLimits("/proc/self")
	if err != nil {
		return err
	}
	content, err := os.ReadFile(file.path)
	if err != nil {
		return err
	}
	reduced, err := reduce(content, file.process, held)
	if err != nil || bytes.Equal(reduced, content) {
		return err
	}
	return os.WriteFile(file.path, reduced, 0o600)
}

// reduce returns the specification without what the machine cannot give, or the very same bytes when nothing is to be taken.
func reduce(content []byte, isProcess bool, held limits) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber() // large numbers must come out as they went in
	var whole map[string]any
	if err := decoder.Decode(&whole); err != nil {
		return nil, err
	}
	process := whole
	if !isProcess {
		process, _ = whole["process"].(map[string]any)
	}
	if process == nil || !reduceProcess(process, held) {
		return content, nil
	}
	return json.Marshal(whole)
}

func reduceProcess(process map[string]any, held limits) bool {
	changed := false
	sets, _ := process["capabilities"].(map[string]any)
	for name, value := range sets {
		wanted, _ := value.([]any)
		kept := slices.DeleteFunc(slices.Clone(wanted), func(c any) bool { text, _ := c.(string); return !held.has(text) })
		if len(kept) != len(wanted) {
			sets[name], changed = kept, true
		}
	}
	if held.has(resourceCapability) {
		return changed
	}
	if _, set := process["rlimits"]; set {
		delete(process, "rlimits")
		changed = true
	}
	if number, set := process["oomScoreAdj"].(json.Number); set {
		if score, err := number.Int64(); err == nil && score < held.oomScore {
			process["oomScoreAdj"], changed = held.oomScore, true
		}
	}
	return changed
}
