"""Deploys the facility to Kubernetes: checks, order of applying, waits, smoke test.

The manifests are kustomize's (``k8s/``); here is what kubectl alone does not do. Nothing
but kubectl is needed, and whoever prefers it applies the manifests without this.
"""
