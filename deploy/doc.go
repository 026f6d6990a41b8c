// Package deploy holds what Keyport is deployed with: the Dockerfile of its image, the
// compose file for one machine, and PgBouncer's settings in it. There is no code; its
// tests hold the files to the configuration manual and to one another. The manifests
// for Kubernetes are in package k8s below, the demo's data in package demo.
package deploy
