// Enforces NetworkPolicies on one node. Which connection may be made is decided by kube-network-policies, the engine of kind's own
// network; it asks the kernel by nftables, which some kernels cannot. Here the packets come to it by iptables and ipset instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/api"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
	"sigs.k8s.io/kube-network-policies/pkg/podinfo"
	"sigs.k8s.io/kube-network-policies/pkg/runner"
)

var version = "unknown"

const (
	// What comes in within this time is one change of the rules.
	gather = time.Second
	// Rules that something else took away are put back after this at the latest.
	repair = time.Minute
)

func main() {
	address := flag.String("health", "127.0.0.1:9081", "where the health check answers")
	serviceNetwork := flag.String("services", "10.96.0.0/16", "the network of the addresses of Services")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	klog.InfoS("starting", "version", version)
	if err := enforce(ctx, *address, *serviceNetwork); err != nil {
		klog.ErrorS(err, "ended")
		os.Exit(1)
	}
}

func enforce(ctx context.Context, address, serviceNetwork string) error {
	services, err := netip.ParsePrefix(serviceNetwork)
	if err != nil {
		return err
	}
	node := os.Getenv("NODE_NAME")
	if node == "" {
		return fmt.Errorf("NODE_NAME is not set: it names the node whose pods are looked after")
	}
	engine, err := newEngine(ctx, node)
	if err != nil {
		return err
	}
	var ready atomic.Bool
	sync := runner.NewBoundedFrequencyRunner("rules", func() error {
		if !engine.Ready() {
			return fmt.Errorf("the API server has not told everything yet")
		}
		if err := syncRules(ctx, engine, services); err != nil {
			return err
		}
		ready.Store(true)
		return nil
	}, gather, gather, repair)
	engine.SetDataplaneSyncCallbacks(sync.Run)
	closeQueue, err := answerQueue(ctx, engine)
	if err != nil {
		return err
	}
	defer closeQueue()
	go serveHealth(address, &ready)
	go sync.Loop(ctx.Done())
	sync.Run()
	<-ctx.Done()
	// The rules stay: without anybody at the queue packets pass, and the next start goes on where this one ended.
	return nil
}

func newEngine(ctx context.Context, node string) (*networkpolicy.PolicyEngine, error) {
	configuration, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(configuration)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	namespaces, pods := factory.Core().V1().Namespaces(), factory.Core().V1().Pods()
	if err := pods.Informer().SetTransform(withoutFields); err != nil {
		return nil, err
	}
	addresses, err := podinfo.NewInformerResolver(pods.Informer())
	if err != nil {
		return nil, err
	}
	known := podinfo.NewInformerProvider(pods, namespaces, nil, []podinfo.IPResolver{addresses})
	policies := networkpolicy.NewStandardNetworkPolicy(node, namespaces, pods, factory.Networking().V1().NetworkPolicies())
	factory.Start(ctx.Done())
	return networkpolicy.NewPolicyEngine(known, []api.PolicyEvaluator{policies}), nil
}

// Who set which field is most of a pod's size, and nobody here asks.
func withoutFields(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

func serveHealth(address string, ready *atomic.Bool) {
	answer := func(writer http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			writer.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	server := &http.Server{Addr: address, Handler: http.HandlerFunc(answer), ReadHeaderTimeout: gather}
	klog.ErrorS(server.ListenAndServe(), "the health check ended")
	os.Exit(1)
}
