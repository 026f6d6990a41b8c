// Package k8s holds the manifests by which Keyport runs on Kubernetes: a base, an
// overlay for trying it and one for production, and a component for clusters that
// have the Prometheus operator. There is no code; its tests build them all with
// kubectl, and hold them to Kubernetes' own types, to the configuration manual, and
// to what the README has people type. docs/kubernetes.md explains them.
package k8s
