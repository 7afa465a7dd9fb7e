// Answers requests, one JSON a line, with what the libraries that Tilt is made of do: the truth that
// test/unit/manifests/testdata/*.json holds. Run by update.mjs.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/runtime"
	k8sjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op   string
	Text string
	Arg  string
}

type response struct {
	Out []string
	Err string
}

func answer(r request) (res response) {
	switch r.Op {
	case "yaml": // YAMLToJSONDecoder stream
		d := k8syaml.NewYAMLToJSONDecoder(strings.NewReader(r.Text))
		for {
			var v json.RawMessage
			err := d.Decode(&v)
			if err == io.EOF {
				break
			}
			if err != nil {
				res.Err = err.Error()
				return
			}
			res.Out = append(res.Out, string(v))
		}
	case "yamlorjson": // the decoder of k8s_yaml
		d := k8syaml.NewYAMLOrJSONDecoder(strings.NewReader(r.Text), 4096)
		for {
			ext := runtime.RawExtension{}
			err := d.Decode(&ext)
			if err == io.EOF {
				break
			}
			if err != nil {
				res.Err = err.Error()
				return
			}
			res.Out = append(res.Out, string(bytes.TrimSpace(ext.Raw)))
		}
	case "dump": // JSON in -> YAML
		var v interface{}
		dec := json.NewDecoder(strings.NewReader(r.Text))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			res.Err = err.Error()
			return
		}
		b, err := yaml.Marshal(v)
		if err != nil {
			res.Err = err.Error()
			return
		}
		res.Out = []string{string(b)}
	case "ref":
		n, err := reference.ParseNormalizedNamed(r.Text)
		if err != nil {
			res.Err = err.Error()
			return
		}
		res.Out = []string{n.String(), reference.FamiliarString(n), reference.FamiliarName(n)}
	case "k8s":
		obj, _, err := scheme.Codecs.UniversalDeserializer().Decode([]byte(r.Text), nil, nil)
		if err != nil {
			res.Err = err.Error()
			if runtime.IsNotRegisteredError(err) {
				res.Err = "not registered"
			}
			return
		}
		s := k8sjson.NewYAMLSerializer(k8sjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme)
		buf := bytes.NewBuffer(nil)
		if err := s.Encode(obj, buf); err != nil {
			res.Err = err.Error()
			return
		}
		res.Out = []string{buf.String()}
	case "json":
		d := json.NewDecoder(strings.NewReader(r.Text))
		d.UseNumber()
		var v interface{}
		if err := d.Decode(&v); err != nil {
			res.Err = err.Error()
			return
		}
		b, _ := json.Marshal(v)
		res.Out = []string{string(b)}
	case "jsonpath":
		var v interface{}
		if err := json.Unmarshal([]byte(r.Text), &v); err != nil {
			res.Err = err.Error()
			return
		}
		j := jsonpath.New("jp")
		if err := j.Parse(r.Arg); err != nil {
			res.Err = "parse: " + err.Error()
			return
		}
		results, err := j.FindResults(v)
		if err != nil {
			res.Err = "find: " + err.Error()
			return
		}
		for _, rr := range results {
			for _, x := range rr {
				b, _ := json.Marshal(x.Interface())
				res.Out = append(res.Out, string(b))
			}
		}
	}
	return
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	dec := json.NewDecoder(in)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		var r request
		if err := dec.Decode(&r); err != nil {
			break
		}
		if err := enc.Encode(answer(r)); err != nil {
			panic(err)
		}
		out.Flush()
	}
}
