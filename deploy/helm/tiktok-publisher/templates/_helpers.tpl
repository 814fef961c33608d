{{- /* One name for all, so that a namespace may hold several releases. */ -}}
{{- define "publisher.redisName" -}}
{{ .Values.redis.name | default (printf "%s-redis" .Release.Name) }}
{{- end }}

{{- define "publisher.settingsName" -}}
{{ .Values.existingSettings | default (printf "%s-settings" .Release.Name) }}
{{- end }}

{{- define "publisher.labels" -}}
app.kubernetes.io/name: tiktok-publisher
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "publisher.redisLabels" -}}
app.kubernetes.io/name: redis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "publisher.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* What every pod does without: root and the access to Kubernetes; of system calls it has the usual ones. */ -}}
{{- define "publisher.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "publisher.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "publisher.scaleDown" -}}
scaleDown:
  # Uploads take minutes, and a pod that stops returns its uploads to the queue.
  stabilizationWindowSeconds: 300
  policies:
    - type: Pods
      value: 1
      periodSeconds: 60
{{- end }}
