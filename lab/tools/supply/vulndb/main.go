// Writes a vulnerability database that grype reads, from a list of a few real and well-known advisories. It is a fixture for
// machines that cannot reach grype's own database: enough to see the gate work, and nothing to rely on.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
)

type advisory struct {
	ID        string     `json:"id"`
	CVE       string     `json:"cve"`
	Severity  string     `json:"severity"`
	Ecosystem string     `json:"ecosystem"`
	Package   string     `json:"package"`
	Title     string     `json:"title"`
	Affected  []affected `json:"affected"`
}

type affected struct {
	Versions string `json:"versions"`
	Fixed    string `json:"fixed"`
}

// How versions of an ecosystem are compared.
var versionTypes = map[string]string{"npm": "semver", "python": "python"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulndb ADVISORIES.json FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

func write(list, folder string) error {
	content, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var advisories []advisory
	if err := json.Unmarshal(content, &advisories); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	store, err := v6.NewWriter(v6.Config{DBDirPath: folder})
	if err != nil {
		return err
	}
	captured := time.Now().UTC()
	provider := &v6.Provider{ID: "github", Version: "fixture", Processor: "todo-deploy", DateCaptured: &captured, InputDigest: "fixture"}
	for _, one := range advisories {
		if err := add(store, provider, one); err != nil {
			return fmt.Errorf("%s: %w", one.ID, err)
		}
	}
	if err := store.SetDBMetadata(); err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	fmt.Printf("%d advisories in %s\n", len(advisories), filepath.Join(folder, v6.VulnerabilityDBFileName))
	return nil
}

func add(store v6.Writer, provider *v6.Provider, one advisory) error {
	versions, known := versionTypes[one.Ecosystem]
	if !known {
		return fmt.Errorf("unknown ecosystem %q", one.Ecosystem)
	}
	vulnerability := &v6.VulnerabilityHandle{
		Name: one.ID, Status: v6.VulnerabilityActive, ProviderID: provider.ID, Provider: provider,
		BlobValue: &v6.VulnerabilityBlob{
			ID:          one.ID,
			Description: one.Title,
			Aliases:     []string{one.CVE},
			References:  []v6.Reference{{URL: "https://github.com/advisories/" + one.ID}},
			Severities:  []v6.Severity{{Scheme: v6.SeveritySchemeCHMLN, Value: one.Severity, Rank: 1}},
		},
	}
	if err := store.AddVulnerabilities(vulnerability); err != nil {
		return err
	}
	blob := &v6.PackageBlob{CVEs: []string{one.CVE}}
	for _, part := range one.Affected {
		fix := &v6.Fix{Version: part.Fixed, State: v6.FixedStatus}
		blob.Ranges = append(blob.Ranges, v6.Range{Version: v6.Version{Type: versions, Constraint: part.Versions}, Fix: fix})
	}
	return store.AddAffectedPackages(&v6.AffectedPackageHandle{
		VulnerabilityID: vulnerability.ID,
		Package:         &v6.Package{Ecosystem: one.Ecosystem, Name: one.Package},
		BlobValue:       blob,
	})
}
