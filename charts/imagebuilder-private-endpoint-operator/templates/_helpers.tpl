{{/* The chart's name, or its override. */}}
{{- define "ibpe.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of what is made: the release's and the chart's, once where one holds the other. */}}
{{- define "ibpe.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "ibpe.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The labels by which the operator's pods are found. The pod of the uninstall check has another component. */}}
{{- define "ibpe.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ibpe.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "ibpe.uninstallLabels" -}}
app.kubernetes.io/name: {{ include "ibpe.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: uninstall-check
{{- end }}

{{/*
Labels of one object, from a list: the root, and labels that win over all others but those by which objects are found. Then
come those that users set, and the chart's. As a map, so that none is there twice.
*/}}
{{- define "ibpe.labelsWith" -}}
{{- $root := index . 0 }}
{{- $found := dict "app.kubernetes.io/name" (include "ibpe.name" $root) "app.kubernetes.io/instance" $root.Release.Name }}
{{- $chart := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_")
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/part-of" "imagebuilder-private-endpoint-operator" }}
{{- merge $found (index . 1 | default dict) ($root.Values.commonLabels | default dict) $chart | toYaml }}
{{- end }}

{{- define "ibpe.labels" -}}
{{- include "ibpe.labelsWith" (list . (dict)) }}
{{- end }}

{{- define "ibpe.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ibpe.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required when serviceAccount.create is false: name the ServiceAccount that the operator runs as" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "ibpe.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* What the operator does with our own kind, in a namespace or in all. */}}
{{- define "ibpe.rules" -}}
- apiGroups: [ibpe.dev]
  resources: [imagebuilderprivateendpoints]
  verbs: [get, list, watch, patch]
- apiGroups: [ibpe.dev]
  resources: [imagebuilderprivateendpoints/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{/*
The Lease of all who serve the same namespaces, whatever their release is called: of those only one works. Others have
another, or only one of them would ever work.
*/}}
{{- define "ibpe.leaseName" -}}
{{- if .Values.leaderElection.leaseName }}
{{- .Values.leaderElection.leaseName }}
{{- else if .Values.watchNamespaces }}
{{- printf "imagebuilder-private-endpoint-operator-%s" (.Values.watchNamespaces | sortAlpha | join "," | sha256sum | trunc 8) }}
{{- else }}
{{- "imagebuilder-private-endpoint-operator" }}
{{- end }}
{{- end }}

{{/* Whether there is a check before uninstall: it needs a role. */}}
{{- define "ibpe.uninstallCheck" -}}
{{- if and .Values.uninstallCheck.enabled .Values.rbac.create }}yes{{ end }}
{{- end }}

{{/* Environment variables that the chart sets: name -> the value that it comes from, and what it is. */}}
{{- define "ibpe.environment" -}}
IBPE_CLUSTER_NAME: {from: clusterName, value: {{ .Values.clusterName | quote }}}
{{- with .Values.watchNamespaces }}
IBPE_WATCH_NAMESPACES: {from: watchNamespaces, value: {{ join "," . | quote }}}
{{- end }}
{{- with .Values.leaderElection }}
IBPE_LEADER_ELECTION: {from: leaderElection.enabled, value: {{ .enabled | quote }}}
{{- if .enabled }}
IBPE_LEASE_NAMESPACE: {from: the release's namespace, value: {{ $.Release.Namespace | quote }}}
IBPE_LEASE_NAME: {from: leaderElection.leaseName, value: {{ include "ibpe.leaseName" $ | quote }}}
IBPE_LEASE_DURATION_SECONDS: {from: leaderElection.leaseDurationSeconds, value: {{ .leaseDurationSeconds | quote }}}
IBPE_LEASE_RENEW_DEADLINE_SECONDS: {from: leaderElection.renewDeadlineSeconds, value: {{ .renewDeadlineSeconds | quote }}}
IBPE_LEASE_RETRY_SECONDS: {from: leaderElection.retrySeconds, value: {{ .retrySeconds | quote }}}
{{- end }}
{{- end }}
{{- if .Values.accounts }}
IBPE_ACCOUNTS_FILE: {from: accounts, value: /etc/ibpe/accounts.yaml}
{{- end }}
IBPE_LOG_LEVEL: {from: logLevel, value: {{ .Values.logLevel | quote }}}
IBPE_LOG_FORMAT: {from: logFormat, value: {{ .Values.logFormat | quote }}}
IBPE_SHUTDOWN_SECONDS: {from: shutdownSeconds, value: {{ .Values.shutdownSeconds | quote }}}
IBPE_HEALTH_HOST: {from: listenAddress, value: {{ .Values.listenAddress | quote }}}
IBPE_HEALTH_PORT: {from: the chart's probes, value: "8080"}
IBPE_METRICS_HOST: {from: listenAddress, value: {{ .Values.listenAddress | quote }}}
IBPE_METRICS_PORT: {from: metrics.enabled, value: {{ ternary "9090" "-1" .Values.metrics.enabled | quote }}}
{{- with .Values.aws.region }}
AWS_REGION: {from: aws.region, value: {{ . | quote }}}
{{- end }}
{{- with .Values.aws.endpointURL }}
AWS_ENDPOINT_URL: {from: aws.endpointURL, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* A live object that this release did not make: whose it is, in words. Else nothing. From a list: the root, the object. */}}
{{- define "ibpe.owner" -}}
{{- $root := index . 0 }}
{{- $live := index . 1 }}
{{- if $live }}
{{- $annotations := dig "metadata" "annotations" (dict) $live }}
{{- $release := dig "meta.helm.sh/release-name" "" $annotations }}
{{- $namespace := dig "meta.helm.sh/release-namespace" "" $annotations }}
{{- if not $release }}
{{- "somebody other than Helm" }}
{{- else if or (ne $release $root.Release.Name) (ne $namespace $root.Release.Namespace) }}
{{- printf "the release %s in namespace %s" $release $namespace }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ibpe.crd.annotation" -}}ibpe.dev/schema-revision{{- end }}

{{/* The CRD as this chart has it. */}}
{{- define "ibpe.crd.ours" -}}
{{- .Files.Get "files/crd.yaml" }}
{{- end }}

{{/*
Why the CRD of the cluster is left as it is; empty where this release installs or upgrades it. Over a newer one ours would
have the API server drop fields. One of another release that is new enough stays with that; with an older one Helm has its
say: --take-ownership.
*/}}
{{- define "ibpe.crd.left" -}}
{{- $ours := include "ibpe.crd.ours" . | fromYaml }}
{{- $annotation := include "ibpe.crd.annotation" . }}
{{- $live := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $ours.metadata.name }}
{{- if $live }}
{{- $revision := dig "metadata" "annotations" $annotation "0" $live | int }}
{{- $chart := get $ours.metadata.annotations $annotation | int }}
{{- $owner := include "ibpe.owner" (list . $live) }}
{{- if gt $revision $chart }}
{{- printf "it is newer (schema revision %d) than this chart's (%d)" $revision $chart }}
{{- else if and $owner (eq $revision $chart) }}
{{- printf "it is as new as this chart's, and of %s; a newer one will need `helm upgrade --take-ownership` once" $owner }}
{{- end }}
{{- end }}
{{- end }}
