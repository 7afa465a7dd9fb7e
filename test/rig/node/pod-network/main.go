// Command pod-network gives a node of the rig its pod network: it does for our node image what
// kindnet does for the published one. It runs on the node itself, watches the cluster's Node
// objects, and derives from them the node's CNI configuration, the routes to the pods of the other
// nodes, and which traffic is masqueraded. Files are read anew for every connection, since a node
// may get other certificates and another address when its container is started again.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"os"
	"time"
)

const (
	configPath = "/etc/cni/net.d/10-pod-network.conflist"
	retryDelay = 500 * time.Millisecond
)

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	host, err := os.Hostname()
	if err != nil {
		log.Fatalf("cannot tell this node's name: %v", err)
	}
	lastError := ""
	for {
		err := follow(context.Background(), host)
		// The API server is away until kubeadm has started it, and a refusal lasts as long as the
		// cluster has no default CNI: one line for each kind of trouble is enough.
		if err != nil && err.Error() != lastError {
			lastError = err.Error()
			log.Print(lastError)
		}
		time.Sleep(retryDelay)
	}
}

// follow lists the nodes, then applies every change until the connection ends.
func follow(ctx context.Context, host string) error {
	api, err := connect()
	if err != nil {
		return err
	}
	nodes, version, err := api.listNodes(ctx)
	if err != nil {
		return err
	}
	applied := network{}
	apply := func() error {
		wanted, ok := plan(host, nodes)
		if !ok || wanted.equal(applied) {
			return nil
		}
		if err := wanted.install(mtuOf("eth0")); err != nil {
			return err
		}
		applied = wanted
		log.Printf("pods %v, %d routes", wanted.own, len(wanted.routes))
		return nil
	}
	if err := apply(); err != nil {
		return err
	}
	return api.watchNodes(ctx, version, func(event watchEvent) error {
		switch event.Type {
		case "ADDED", "MODIFIED":
			nodes[event.Object.Metadata.Name] = event.Object
		case "DELETED":
			delete(nodes, event.Object.Metadata.Name)
		case "ERROR":
			return errors.New("the watch has expired")
		}
		return apply()
	})
}

// mtuOf gives the MTU of the node's own interface in bytes: a larger one would lose packets between nodes.
func mtuOf(name string) int {
	if device, err := net.InterfaceByName(name); err == nil {
		return device.MTU
	}
	return 1500
}
