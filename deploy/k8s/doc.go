// Package k8s holds manifests for Kubernetes, put together by kustomize: three
// NATS servers, two or more of every service. Its test decodes them strictly as
// what they say they are, and checks that what refers to another finds it. It is
// a module of its own so that the Kubernetes types stay out of the product.
package k8s
