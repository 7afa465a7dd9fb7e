// Writes src/manifests/kubernetes-types.json: the built-in kinds of client-go's scheme and the shape of their Go types,
// as far as decoding and writing them as JSON needs it. Run by update.sh.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// A field: JSON name, type, and 1 if it is left out when empty.
type field [3]any

type structType struct {
	// Name as Go prints it, with its package: `v1.PodSpec`.
	Name   string  `json:"name"`
	Fields []field `json:"fields"`
	// The struct is the status of some kind.
	Status bool `json:"status,omitempty"`
}

// Types with their own JSON form, by the letter that the table has for them.
var special = map[reflect.Type]string{
	reflect.TypeOf(metav1.Time{}):        "time",
	reflect.TypeOf(metav1.MicroTime{}):   "microtime",
	reflect.TypeOf(resource.Quantity{}):  "quantity",
	reflect.TypeOf(intstr.IntOrString{}): "intstr",
}

var unmarshaler = reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()

type table struct {
	index   map[reflect.Type]int
	structs []*structType
}

func (t *table) encode(typ reflect.Type) string {
	if name, ok := special[typ]; ok {
		return name
	}
	named := ""
	if typ.Name() != "" && typ.PkgPath() != "" {
		named = "=" + typ.String()
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return "*" + t.encode(typ.Elem())
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64, reflect.Int, reflect.Float64, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int16, reflect.Int8, reflect.Float32:
		return typ.Kind().String() + named
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Uint8 {
			return "bytes" + named
		}
		return "[" + t.encode(typ.Elem()) + "]" + named
	case reflect.Map:
		return "{" + t.encode(typ.Elem()) + "}" + named
	case reflect.Struct:
		if reflect.PointerTo(typ).Implements(unmarshaler) {
			return "any=" + typ.String()
		}
		return fmt.Sprintf("#%d", t.add(typ))
	case reflect.Interface:
		return "any=" + typ.String()
	}
	panic("no rule for " + typ.String())
}

func (t *table) add(typ reflect.Type) int {
	if at, ok := t.index[typ]; ok {
		return at
	}
	at := len(t.structs)
	t.index[typ] = at
	entry := &structType{Name: typ.String()}
	t.structs = append(t.structs, entry)
	entry.Fields = t.fields(typ)
	return at
}

func (t *table) fields(typ reflect.Type) []field {
	fields := []field{}
	for i := 0; i < typ.NumField(); i++ {
		f := typ.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "-" || (!f.IsExported() && !f.Anonymous) {
			continue
		}
		if tag == "" && f.Anonymous {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			fields = append(fields, t.fields(embedded)...)
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		omit := 0
		for _, option := range strings.Split(options, ",") {
			if option == "omitempty" {
				omit = 1
			}
		}
		fields = append(fields, field{tag, t.encode(f.Type), omit})
	}
	return fields
}

func main() {
	t := &table{index: map[reflect.Type]int{}}
	known := scheme.Scheme.AllKnownTypes()
	kinds := map[string]int{}
	names := []string{}
	types := map[string]reflect.Type{}
	for gvk, typ := range known {
		if gvk.Version == "__internal" || strings.HasSuffix(gvk.Kind, "Options") || gvk.Kind == "WatchEvent" {
			continue
		}
		name := gvk.GroupVersion().String() + " " + gvk.Kind
		names = append(names, name)
		types[name] = typ
	}
	sort.Strings(names)
	for _, name := range names {
		kinds[name] = t.add(types[name])
	}
	for _, typ := range known {
		if f, ok := typ.FieldByName("Status"); ok && f.Type.Kind() == reflect.Struct {
			if at, ok := t.index[f.Type]; ok {
				t.structs[at].Status = true
			}
		}
	}
	out := os.Stdout
	fmt.Fprint(out, "{\n\"kinds\": {\n")
	for i, name := range names {
		fmt.Fprintf(out, "%q: %d%s\n", name, kinds[name], comma(i, len(names)))
	}
	fmt.Fprint(out, "},\n\"structs\": [\n")
	for i, entry := range t.structs {
		line, err := json.Marshal(entry)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "%s%s\n", line, comma(i, len(t.structs)))
	}
	fmt.Fprint(out, "]\n}\n")
}

func comma(i, n int) string {
	if i == n-1 {
		return ""
	}
	return ","
}
