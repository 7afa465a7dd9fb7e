package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	kubeconfigPath  = "/etc/kubernetes/kubelet.conf"
	authorityPath   = "/etc/kubernetes/pki/ca.crt"
	certificatePath = "/var/lib/kubelet/pki/kubelet-client-current.pem"
	watchSeconds    = 1800
)

type node struct {
	Metadata struct {
		Name            string `json:"name"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		PodCIDR  string   `json:"podCIDR"`
		PodCIDRs []string `json:"podCIDRs"`
	} `json:"spec"`
	Status struct {
		Addresses []struct {
			Type    string `json:"type"`
			Address string `json:"address"`
		} `json:"addresses"`
	} `json:"status"`
}

type watchEvent struct {
	Type   string `json:"type"`
	Object node   `json:"object"`
}

// api speaks to the API server as the kubelet of this node.
type api struct {
	server string
	client *http.Client
}

func connect() (*api, error) {
	kubeconfig, err := os.ReadFile(kubeconfigPath)
	if err != nil {
		return nil, err
	}
	server := serverOf(string(kubeconfig))
	if server == "" {
		return nil, fmt.Errorf("%s names no server", kubeconfigPath)
	}
	certificate, err := tls.LoadX509KeyPair(certificatePath, certificatePath)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(authorityPath)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", authorityPath)
	}
	return &api{server, &http.Client{Transport: &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}},
		ResponseHeaderTimeout: 10 * time.Second,
		DisableKeepAlives:     true,
	}}}, nil
}

// serverOf finds the server's address in a kubeconfig that kubeadm wrote (it holds one cluster).
func serverOf(kubeconfig string) string {
	for _, line := range strings.Split(kubeconfig, "\n") {
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "server: "); ok {
			return strings.TrimSpace(address)
		}
	}
	return ""
}

func (a *api) get(ctx context.Context, query url.Values) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.server+"/api/v1/nodes?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("cannot read the nodes: %s", response.Status)
	}
	return response, nil
}

// listNodes gives the nodes by name, and the version that a watch goes on from.
func (a *api) listNodes(ctx context.Context) (map[string]node, string, error) {
	response, err := a.get(ctx, url.Values{})
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []node `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, "", fmt.Errorf("cannot read the nodes: %w", err)
	}
	nodes := map[string]node{}
	for _, item := range list.Items {
		nodes[item.Metadata.Name] = item
	}
	return nodes, list.Metadata.ResourceVersion, nil
}

// watchNodes calls onEvent for each change after version; it returns when the watch or onEvent ends.
func (a *api) watchNodes(ctx context.Context, version string, onEvent func(watchEvent) error) error {
	response, err := a.get(ctx, url.Values{
		"watch":           {"true"},
		"resourceVersion": {version},
		"timeoutSeconds":  {fmt.Sprint(watchSeconds)},
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(bufio.NewReader(response.Body))
	for {
		var event watchEvent
		if err := decoder.Decode(&event); err != nil {
			return errors.Join(errors.New("the watch has ended"), err)
		}
		if err := onEvent(event); err != nil {
			return err
		}
	}
}
