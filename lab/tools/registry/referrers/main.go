// Command referrers-registry serves a registry in memory that has the referrers API, which distribution lacks.
//
// It listens on a free port of 127.0.0.1 and prints the address. Its argument chooses the implementation:
// "oci" answers as the specification asks (OCI-Subject, filters); "crane" names the type of the configuration as the type of an
// artifact and says nothing of the subject, as several registries do.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	handler, err := choose(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func choose(arguments []string) (http.Handler, error) {
	if len(arguments) == 1 && arguments[0] == "oci" {
		return ociserver.New(ocimem.New(), nil), nil
	}
	if len(arguments) == 1 && arguments[0] == "crane" {
		quiet := registry.Logger(log.New(io.Discard, "", 0))
		return registry.New(registry.WithReferrersSupport(true), quiet), nil
	}
	return nil, fmt.Errorf("say which implementation: oci or crane")
}
