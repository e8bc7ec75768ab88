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

{{- define "ibpe.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ibpe.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ibpe.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ibpe.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: imagebuilder-private-endpoint-operator
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
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

{{/* The restricted Pod Security Standard, for the pod and for its container. */}}
{{- define "ibpe.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "ibpe.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Rules for our own kind: what the operator does in a namespace. */}}
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

{{/* What can't work, in one sentence with the fix. */}}
{{- define "ibpe.check" -}}
{{- $_ := required "clusterName is required: give this cluster a name that it keeps when it is rebuilt, such as --set clusterName=prod-eu; it goes into a tag on everything that is made" .Values.clusterName }}
{{- with .Values.leaderElection }}
{{- if and (not .enabled) (gt (int $.Values.replicaCount) 1) }}
{{- fail (printf "replicaCount is %d with leaderElection.enabled false: both would work at once; turn leaderElection on, or set replicaCount to 1" (int $.Values.replicaCount)) }}
{{- end }}
{{- if not (and (lt (float64 .retrySeconds) (float64 .renewDeadlineSeconds)) (le (addf (float64 .renewDeadlineSeconds) 5) (float64 .leaseDurationSeconds))) }}
{{- fail "leaderElection: retrySeconds must be less than renewDeadlineSeconds, and that less than leaseDurationSeconds by 5 or more: a leader must have ended before another begins" }}
{{- end }}
{{- end }}
{{- if ge (float64 .Values.shutdownSeconds) (float64 .Values.terminationGracePeriodSeconds) }}
{{- fail "shutdownSeconds must be less than terminationGracePeriodSeconds: the kubelet would kill the pod in the midst of its work" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled are both true: everything would be counted twice; choose one" }}
{{- end }}
{{- if and (not .Values.metrics.enabled) (or .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled) }}
{{- fail "metrics.enabled is false, and there is nothing to scrape: set it to true, or turn the ServiceMonitor and the PodMonitor off" }}
{{- end }}
{{- end }}
