package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// routeProtocol marks the routes that are ours, so that stale ones can be told from the node's own.
const routeProtocol = "98"

type route struct {
	to  netip.Prefix
	via netip.Addr
}

// network is what one node needs so that every pod reaches every pod without address translation.
type network struct {
	own    []netip.Prefix // pod ranges of this node, one for each IP family
	routes []route        // pod ranges of the other nodes
}

func (n network) equal(other network) bool {
	return slices.Equal(n.own, other.own) && slices.Equal(n.routes, other.routes)
}

// plan derives the network of the node called host; false until it has been given a pod range.
func plan(host string, nodes map[string]node) (network, bool) {
	own := podRanges(nodes[host])
	wanted := network{own: own}
	for name, peer := range nodes {
		if name == host {
			continue
		}
		for _, to := range podRanges(peer) {
			if via, ok := addressOf(peer, to.Addr().Is4()); ok {
				wanted.routes = append(wanted.routes, route{to, via})
			}
		}
	}
	slices.SortFunc(wanted.routes, func(a, b route) int { return a.to.Addr().Compare(b.to.Addr()) })
	return wanted, len(own) > 0
}

func podRanges(n node) []netip.Prefix {
	texts := n.Spec.PodCIDRs
	if len(texts) == 0 && n.Spec.PodCIDR != "" {
		texts = []string{n.Spec.PodCIDR}
	}
	var ranges []netip.Prefix
	for _, text := range texts {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			ranges = append(ranges, prefix)
		}
	}
	return ranges
}

func addressOf(n node, wantIPv4 bool) (netip.Addr, bool) {
	for _, entry := range n.Status.Addresses {
		address, err := netip.ParseAddr(entry.Address)
		if err == nil && entry.Type == "InternalIP" && address.Is4() == wantIPv4 {
			return address, true
		}
	}
	return netip.Addr{}, false
}

// cniConfig is point to point: a pod's traffic is always routed, so that replies of a Service to a
// pod of the same node pass the connection tracking even where bridges do not (no br_netfilter).
func (n network) cniConfig(mtu int) ([]byte, error) {
	type object = map[string]any
	ranges, routes := [][]object{}, []object{}
	for _, prefix := range n.own {
		ranges = append(ranges, []object{{"subnet": prefix.String()}})
		everywhere := "0.0.0.0/0"
		if prefix.Addr().Is6() {
			everywhere = "::/0"
		}
		routes = append(routes, object{"dst": everywhere})
	}
	return json.MarshalIndent(object{
		"cniVersion": "0.4.0",
		"name":       "pod-network",
		"plugins": []object{
			{
				"type": "ptp", "ipMasq": false, "mtu": mtu,
				// On the node's tmpfs: the addresses of the pods of an earlier start are free again.
				"ipam": object{"type": "host-local", "dataDir": "/run/cni-ipam-state", "ranges": ranges, "routes": routes},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
}

// masquerade is the input of iptables-restore for one family: what leaves the cluster takes the node's address.
func (n network) masquerade(ipv4 bool) string {
	var rules strings.Builder
	rules.WriteString("*nat\n:POD-MASQUERADE - [0:0]\n")
	inside := slices.Clone(n.own)
	for _, r := range n.routes {
		inside = append(inside, r.to)
	}
	for _, prefix := range inside {
		if prefix.Addr().Is4() == ipv4 {
			fmt.Fprintf(&rules, "-A POD-MASQUERADE -d %s -j RETURN\n", prefix)
		}
	}
	multicast := map[bool]string{true: "224.0.0.0/4", false: "ff00::/8"}[ipv4]
	fmt.Fprintf(&rules, "-A POD-MASQUERADE -d %s -j RETURN\n-A POD-MASQUERADE -j MASQUERADE\nCOMMIT\n", multicast)
	return rules.String()
}

// install makes the node's network be n. The CNI configuration comes last: it makes the node Ready.
func (n network) install(mtu int) error {
	if err := n.installRoutes(); err != nil {
		return err
	}
	for _, own := range n.own {
		if err := n.installMasquerade(own); err != nil {
			return err
		}
	}
	config, err := n.cniConfig(mtu)
	if err != nil {
		return err
	}
	return replaceFile(configPath, config)
}

func (n network) installRoutes() error {
	for _, r := range n.routes {
		if err := run("", "ip", family(r.to), "route", "replace", r.to.String(), "via", r.via.String(), "proto", routeProtocol); err != nil {
			return err
		}
	}
	return n.removeStaleRoutes()
}

func (n network) removeStaleRoutes() error {
	for _, flag := range []string{"-4", "-6"} {
		output, err := exec.Command("ip", flag, "-json", "route", "show", "proto", routeProtocol).Output()
		if err != nil || len(bytes.TrimSpace(output)) == 0 {
			continue // a kernel without this family has no routes of it
		}
		var present []struct {
			To string `json:"dst"`
		}
		if err := json.Unmarshal(output, &present); err != nil {
			return fmt.Errorf("cannot read the routes: %w", err)
		}
		for _, old := range present {
			if slices.ContainsFunc(n.routes, func(r route) bool { return r.to.String() == old.To }) {
				continue
			}
			if err := run("", "ip", flag, "route", "del", old.To, "proto", routeProtocol); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n network) installMasquerade(own netip.Prefix) error {
	iptables := map[bool]string{true: "iptables", false: "ip6tables"}[own.Addr().Is4()]
	if err := run(n.masquerade(own.Addr().Is4()), iptables+"-restore", "--wait", "--noflush"); err != nil {
		return err
	}
	jump := []string{"POSTROUTING", "-s", own.String(), "-j", "POD-MASQUERADE"}
	if run("", iptables, append([]string{"--wait", "-t", "nat", "-C"}, jump...)...) == nil {
		return nil
	}
	return run("", iptables, append([]string{"--wait", "-t", "nat", "-A"}, jump...)...)
}

func family(prefix netip.Prefix) string {
	if prefix.Addr().Is4() {
		return "-4"
	}
	return "-6"
}

func run(input string, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Stdin = strings.NewReader(input)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}

func replaceFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part" // not a name that the CNI plugin loader reads
	if err := os.WriteFile(part, content, 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}
