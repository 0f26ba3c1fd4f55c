## Kubernetes

OVERLAY ?= local
NAMESPACE ?= fourlep
REGISTRY ?=
TAG ?=
STORAGE_CLASS ?=
PURGE ?= no
ROTATE ?=
LOADED ?=

CLUSTER = $(BIN)/fourlep cluster
WHERE = --overlay "$(OVERLAY)" --namespace "$(NAMESPACE)" $(if $(REGISTRY),--registry "$(REGISTRY)") \
	$(if $(TAG),--tag "$(TAG)") $(if $(STORAGE_CLASS),--storage-class "$(STORAGE_CLASS)")

.PHONY: images
images: ## build the images: [ENGINE=podman|docker|buildah] [REGISTRY=] [TAG=] [IMAGES="hub xcache"]
	@ENGINE="$(ENGINE)" REGISTRY="$(REGISTRY)" TAG="$(TAG)" images/build.sh $(IMAGES)

.PHONY: push
push: ## push the images to REGISTRY
	@ENGINE="$(ENGINE)" REGISTRY="$(REGISTRY)" TAG="$(TAG)" images/push.sh $(IMAGES)

.PHONY: test-images
test-images: ## build every image from Debian's archive (as root) and check it from the inside
	@images/test.sh $(IMAGES)

.PHONY: secrets
secrets: $(VENV)/.run-ready ## make missing secrets in the cluster; ROTATE=key,... makes those anew
	@$(CLUSTER) secrets $(WHERE) --rotate "$(ROTATE)"

.PHONY: deploy
deploy: $(VENV)/.run-ready ## deploy: OVERLAY=local|production|PATH [NAMESPACE= REGISTRY= TAG= STORAGE_CLASS= LOADED=yes]
	@$(CLUSTER) deploy $(WHERE) $(if $(filter yes,$(LOADED)),--loaded)

.PHONY: upgrade
upgrade: $(VENV)/.run-ready ## deploy another TAG without ending running clusters and servers
	@$(CLUSTER) deploy $(WHERE) $(if $(filter yes,$(LOADED)),--loaded)

.PHONY: diff
diff: $(VENV)/.run-ready ## what a deploy would change
	@$(CLUSTER) diff $(WHERE)

.PHONY: cluster-status
cluster-status: ## what runs in the namespace
	@kubectl --namespace "$(NAMESPACE)" get pods,statefulsets,persistentvolumeclaims,daskclusters

.PHONY: cluster-smoke
cluster-smoke: $(VENV)/.run-ready ## the smoke test, as a Job in the cluster
	@$(CLUSTER) smoke $(WHERE)

.PHONY: logs
logs: ## the latest lines of every part
	@kubectl --namespace "$(NAMESPACE)" logs --selector app.kubernetes.io/part-of=fourlep \
		--all-containers --prefix --tail 40 --max-log-requests 50

.PHONY: undeploy
undeploy: $(VENV)/.run-ready ## remove the facility; PURGE=yes: users' volumes too
	@$(CLUSTER) undeploy $(WHERE) --purge "$(PURGE)"

TRIAL ?= /var/tmp/fourlep-trial
TRIAL_NODE = PYTHONPATH=tests $(BIN)/python -m k8s.trial.node "$(TRIAL)"

.PHONY: trial-cluster
trial-cluster: $(VENV)/.dev-ready ## a Kubernetes of one node from Debian's archive, as root: [TRIAL=directory]
	@tests/k8s/trial/build.sh "$(TRIAL)"
	@$(TRIAL_NODE) up

.PHONY: trial-deploy
trial-deploy: $(VENV)/.dev-ready ## deploy to it, with enforced policies, and run the smoke test
	@$(TRIAL_NODE) run $(abspath $(BIN))/python tests/k8s/trial/deploy.py deploy --loaded

.PHONY: trial-end
trial-end: $(VENV)/.dev-ready ## end it
	@$(TRIAL_NODE) down
