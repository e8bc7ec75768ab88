// Command kstatus reads Kubernetes objects as JSON, one a line, and answers each with a line of JSON: what kstatus
// makes of it, as the Kubernetes project's library computes it and as Flux's copy of it does.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubernetes "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type answer struct {
	Kubernetes verdict `json:"kubernetes"`
	Flux       verdict `json:"flux"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func serve(from io.Reader, to io.Writer) error {
	reader, writer := bufio.NewReader(from), json.NewEncoder(to)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		said, err := compute(line)
		if err != nil {
			return err
		}
		if err := writer.Encode(said); err != nil {
			return err
		}
	}
}

func compute(line []byte) (answer, error) {
	// Its UnmarshalJSON keeps whole numbers whole, as kstatus needs them.
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(line); err != nil {
		return answer{}, err
	}
	original, err := kubernetes.Compute(object)
	if err != nil {
		return answer{}, err
	}
	copied, err := flux.Compute(object)
	if err != nil {
		return answer{}, err
	}
	return answer{
		Kubernetes: verdict{original.Status.String(), original.Message},
		Flux:       verdict{copied.Status.String(), copied.Message},
	}, nil
}
