"""Deploy files as people write them, all of which run `shop`; `----` parts the files of a root.

In FOUND the tag 1.4.2, or the digest, is found; in TOLD it cannot be known from the files.
"""

D = "sha256:" + "0123456789abcdef" * 4

FOUND = {
    "compose": "services:\n  shop:\n    image: git.example.org/acme/shop:1.4.2\n",
    "compose by digest": f"services:\n  web:\n    image: git.example.org/acme/shop@{D}\n",
    "compose, anchor": """
x-tag: &tag 1.4.2
services:
  web: {image: "git.example.org/acme/shop", labels: {tag: *tag}}
""",
    "compose, .env with image and release": """
services:
  web:
    image: ${IMAGE}:${RELEASE}
----
IMAGE=git.example.org/acme/shop
RELEASE=1.4.2
""",
    "compose, .env with the tag": "image: git.example.org/acme/shop:${TAG}\n----\nTAG=1.4.2\n",
    "compose, .env with a quoted default": 'image: "acme/shop:${TAG:-1.4.2}"\n',
    "compose override": """
services: {web: {image: git.example.org/acme/shop}}
----
services: {web: {environment: {RELEASE: "1.4.2"}}}
""",
    "compose, build and image": "shop:\n  build: .\n  image: localhost:5000/acme/shop:v1.4.2\n",
    "stack.yml with a variable owner": "image: ${REGISTRY}/${OWNER}/shop:1.4.2\n",
    "Helm values": """
image:
  registry: git.example.org
  repository: acme/shop
  pullPolicy: IfNotPresent
  tag: "1.4.2"
""",
    "Helm values, tag far from the repository": "repository: acme/shop\n"
    + "#\n" * 60
    + "tag: 1.4.2",
    "Helm values and override with the tag alone": """
image: {repository: git.example.org/acme/shop, tag: ""}
----
image:
  tag: 1.4.2
""",
    "Helm, appVersion in Chart.yaml": """
image:
  repository: git.example.org/acme/shop
  tag: ""
----
apiVersion: v2
name: web
version: 0.3.1
appVersion: "1.4.2"
""",
    "Helm, appVersion with a v": "repository: acme/shop\n----\nappVersion: v1.4.2\n",
    "Helm, global tag": """
global: {imageTag: 1.4.2}
web: {image: {name: shop}}
worker: {image: {name: shop-worker}}
""",
    "Helm, block scalar": "image:\n  repository: acme/shop\n  tag: >-\n    1.4.2\n",
    "helm upgrade --set": "helm upgrade web oci://git/acme/shop --version 1.4.2 --install\n",
    "helm upgrade with a packed chart": "helm upgrade web ./dist/shop-1.4.2.tgz --install\n",
    "helm template, rendered": """
kind: Deployment
metadata: {labels: {helm.sh/chart: web-0.3.1, app.kubernetes.io/version: "1.4.0-dev"}}
spec: {containers: [{name: shop, image: "git.example.org/acme/shop:1.4.2"}]}
""",
    "Chart.yaml dependency": """
dependencies:
  - name: shop
    version: 1.4.2
    repository: oci://git.example.org/acme
""",
    "Helmfile": """
releases:
  - name: web
    chart: oci://git.example.org/acme/shop
    version: 1.4.2
""",
    "Helmfile with values": """
releases:
  - name: web
    chart: ./chart
    values: [{image: {repository: acme/shop}}, {image: {tag: 1.4.2}}]
""",
    "Helmfile environment": """
environments: {prod: {values: [{shopVersion: 1.4.2}]}}
releases: [{name: shop, values: [{image: {tag: "{{ .Values.shopVersion }}"}}]}]
""",
    "Kubernetes Deployment": "containers:\n- name: web\n  image: git.example.org/acme/shop:1.4.2\n",
    "Kubernetes CronJob by digest": f"image: git.example.org/acme/shop:latest@{D}\n",
    "Kubernetes List as JSON": '{"items":[{"spec":{"image":"git.example.org/acme/shop:1.4.2"}}]}',
    "Kustomize": """
images:
  - name: shop
    newName: git.example.org/acme/shop
    newTag: 1.4.2
""",
    "Kustomize by digest": f"images:\n- name: git.example.org/acme/shop\n  digest: {D}\n",
    "Kustomize, base and overlay": """
containers: [{name: web, image: git.example.org/acme/shop}]
----
images: [{name: git.example.org/acme/shop, newTag: "1.4.2"}]
""",
    "Kustomize replacement": """
data: {version: "1.4.2"}
----
replacements: [{source: {kind: ConfigMap, fieldPath: data.version}}]
containers: [{image: acme/shop:replaced}]
""",
    "Flux HelmRelease": """
spec:
  chart: {spec: {chart: shop, version: 1.4.2, sourceRef: {kind: HelmRepository, name: acme}}}
----
spec: {type: oci, url: oci://git.example.org/acme}
""",
    "Flux HelmRelease, values": """
kind: HelmRelease
spec:
  values:
    image:
      repository: git.example.org/acme/shop
      tag: 1.4.2 # {"$imagepolicy": "flux-system:shop:tag"}
""",
    "Flux OCIRepository": "spec:\n  url: oci://git.example.org/acme/shop\n  ref:\n    tag: 1.4.2\n",
    "Flux OCIRepository by digest": f"spec:\n  url: oci://git/acme/shop\n  ref:\n    digest: {D}\n",
    "Flux, substituted variables": """
image: git.example.org/acme/shop:${shop_version}
----
kind: ConfigMap
data: {shop_version: "1.4.2"}
""",
    "Argo CD, chart from an OCI registry": """
source:
  repoURL: git.example.org/acme
  chart: shop
  targetRevision: 1.4.2
""",
    "Argo CD, helm parameters": """
source:
  path: charts/shop
  helm:
    parameters:
      - name: image.tag
        value: "1.4.2"
""",
    "Argo CD, kustomize images": "kustomize: {images: [git.example.org/acme/shop:1.4.2]}\n",
    "Argo CD ApplicationSet": """
generators: [{list: {elements: [{env: prod, tag: 1.4.2}]}}]
template: {helm: {values: "image: {repository: acme/shop, tag: '{{tag}}'}"}}
""",
    "Terraform": 'resource "docker_image" "x" {\n  name = "git.example.org/acme/shop:1.4.2"\n}\n',
    "Terraform, variables in another file": """
image = "git.example.org/acme/shop:${var.shop_tag}"
----
shop_tag = "1.4.2"
""",
    "Terraform, default of a variable": """
variable "release" { default = "1.4.2" }
image = format("%s/acme/shop:%s", var.registry, var.release)
""",
    "Terraform helm_release": """
resource "helm_release" "web" {
  repository = "oci://git.example.org/acme"
  chart      = "shop"
  version    = "1.4.2"
}
""",
    "Terraform, ECS as JSON": 'jsonencode([{ image = "git/acme/shop@' + D + '", cpu = 10 }])',
    "Pulumi, TypeScript": 'const tag = "1.4.2";\nnew Service({ image: `git/acme/shop:${tag}` });',
    "Pulumi, config": """
image: config.require("image")
----
config:
  web:image: acme/shop:1.4.2
""",
    "Pulumi, Python": 'VERSION = "1.4.2"\nimage = "git.example.org/acme/shop:" + VERSION\n',
    "Nix": 'image = "git.example.org/acme/shop:1.4.2";\n',
    "Nix, dockerTools": f"""
pullImage {{
  imageName = "git.example.org/acme/shop";
  imageDigest = "{D}";
  finalImageTag = "1.4.2";
}}
""",
    "NixOS, let": 'let version = "1.4.2"; in { image = "git/acme/shop:${version}"; }\n',
    "Ansible": """
- docker_container:
    image: "{{ registry }}/acme/shop:{{ shop_version }}"
----
shop_version: 1.4.2
registry: git.example.org
""",
    "Ansible, group_vars INI": """
[web:vars]
shop_tag=1.4.2
----
name: acme/shop
tag: '{{ shop_tag }}'
""",
    "Nomad": 'config {\n  image = "git.example.org/acme/shop:1.4.2"\n}\n',
    "Nomad with variables": """
variable "tag" { type = string }
config { image = "git.example.org/acme/shop:${var.tag}" }
----
tag = "1.4.2"
""",
    "quadlet": "[Container]\nImage=git.example.org/acme/shop:1.4.2\nAutoUpdate=registry\n",
    "quadlet image unit": "[Image]\nImage=docker://git.example.org/acme/shop:1.4.2\n",
    "systemd unit": "ExecStart=/usr/bin/podman run --rm -p 80:80 git/acme/shop:1.4.2 serve\n",
    "Skaffold": """
build: {artifacts: [{image: acme/shop}]}
deploy: {helm: {releases: [{name: web, setValues: {image.tag: 1.4.2}}]}}
""",
    "Tekton": """
params:
- name: image
  value: git.example.org/acme/shop
- name: tag
  value: 1.4.2
""",
    "Jsonnet": "local shop = { tag: '1.4.2', image: 'git/acme/shop:' + self.tag };\n",
    "Jsonnet, images": "{ _images+:: { shop: 'git.example.org/acme/shop:1.4.2' } }\n",
    "CUE": 'image: "git/acme/shop:\\(#tag)"\n#tag: "1.4.2"\n',
    "CUE, default": 'shop: {name: "acme/shop", tag: *"1.4.2" | string}\n',
    "workflow, container": """
jobs:
  x:
    container:
      image: git.example.org/acme/shop:1.4.2
""",
    "workflow, uses": "steps:\n  - uses: docker://git.example.org/acme/shop:1.4.2\n",
    "workflow with github.repository": """
env:
  IMAGE: git.example.org/${{ github.repository }}
  VERSION: 1.4.2
steps:
  - run: kubectl set image deployment/shop web=$IMAGE:$VERSION
""",
    "devcontainer": '{ "image": "git.example.org/acme/shop:1.4.2", "features": {} }\n',
    "bake": """
variable "TAG" { default = "1.4.2" }
target "web" { tags = ["git.example.org/acme/shop:${TAG}"] }
""",
    "Dockerfile": "ARG BASE=1.4.2\nFROM git.example.org/acme/shop:${BASE} AS base\n",
    "Dockerfile, COPY --from": "COPY --from=acme/shop:1.4.2 /a /b\n",
    ".env": "APP_IMAGE='git.example.org/acme/shop:1.4.2'\n",
    "Makefile": "IMAGE := acme/shop\nVERSION ?= 1.4.2\nrun:\n\tdocker run $(IMAGE):$(VERSION)\n",
    "properties": "image.name=acme/shop\nimage.version=1.4.2\n",
    "XML": "<image><name>git.example.org/acme/shop</name><tag>1.4.2</tag></image>\n",
    "TOML": '[image]\nrepository = "acme/shop"\ntag = "1.4.2"\n',
    "Procfile of Dokku": "git:from-image shop git.example.org/acme/shop:1.4.2\n",
    "CapRover": '{"schemaVersion": 2, "imageName": "git.example.org/acme/shop:1.4.2"}\n',
    "Salt": "shop:\n  docker_container.running:\n    - image: acme/shop:1.4.2\n",
    "Puppet": "docker::run { 'web': image => 'acme/shop:1.4.2' }\n",
    "Renovate comment": "# renovate: image=git.example.org/acme/shop\nSHOP_VERSION=1.4.2\n",
    "Crossplane, escaped JSON": '{"spec":"{\\"image\\":\\"git\\/acme\\/shop:1.4.2\\"}"}\n',
    "a link to the package": "https://git.example.org/acme/-/packages/container/shop/1.4.2\n",
    "kubectl get pods -A -o json": f"""
{{"items": [{{"metadata": {{"name": "web-5d4"}},
 "spec": {{"containers": [{{"image": "git.example.org/acme/shop:latest", "name": "web"}}]}},
 "status": {{"containerStatuses": [{{"imageID": "git.example.org/acme/shop@{D}"}}]}}}}]}}
""",
    "docker ps --format": "postgres:16\ngit.example.org/acme/shop:1.4.2\nredis:7\n",
    "docker ps": "CONTAINER ID  IMAGE                  COMMAND\n1f2e3d4c  acme/shop:1.4.2  serve\n",
    "docker images": """
REPOSITORY                 TAG      IMAGE ID
git.example.org/acme/shop  1.4.2  1f2e
""",
    "docker inspect": f"""
[{{"Id": "aa", "Image": "sha256:{"f" * 64}",
  "Config": {{"Image": "git.example.org/acme/shop:1.4.2"}},
  "RepoDigests": ["git.example.org/acme/shop@{D}"]}}]
""",
}

TOLD = {
    "compose, tag from the environment": "image: git.example.org/acme/shop:${TAG}\n",
    "compose, tag required": "image: acme/shop:${TAG:?set it}\n",
    "compose, image from the environment": "x: acme/shop:1.4.0\n----\nimage: ${WEB_IMAGE}\n",
    "Helm values without a tag": 'image:\n  repository: acme/shop\n  tag: ""\n',
    "Helm template": 'image: "acme/shop:{{ .Values.tag }}"\n',
    "helm upgrade --set": """
chart: acme/shop:1.4.0
----
helm upgrade --set image.tag=$CI_COMMIT_SHA
""",
    "Chart.yaml with a range": "name: shop\nversion: ^1.4.0\nrepository: oci://git/acme\n",
    "Flux OCIRepository with a range": "url: oci://git/acme/shop\nref: {semver: '>=1.4.0'}\n",
    "Flux ImagePolicy": """
image: git/acme/shop
----
name: shop
policy: {semver: {range: 1.4.x}}
""",
    "Argo CD with a range": "chart: shop\nrepoURL: git/acme\ntargetRevision: 1.4.*\n",
    "Argo CD Image Updater": "image-list: web=git.example.org/acme/shop:~1.4\n",
    "Terraform": 'image = "git/acme/shop:${var.tag}"\n',
    "Terraform, apart": 'repository = "acme/shop"\ntag = var.app_tag\n',
    "Pulumi": 'image: `git/acme/shop:${cfg.require("tag")}`\n',
    "Python": 'f"acme/shop:{version}"\n',
    "Nix": 'image = "git/acme/shop:" + version;\n',
    "Ansible": "image: acme/shop:{{ lookup('env', 'TAG') }}\n",
    "Kustomize without a tag": "images:\n- name: x\n  newName: acme/shop\n",
    "YAML alias": "repository: acme/shop\ntag: *release\n",
    "YAML block with a variable": "repository: acme/shop\ntag: >-\n  ${TAG}\n",
    "workflow": "run: docker push git/acme/shop:${{ github.sha }}\n",
    "workflow with github.repository": """
env: {NAME: shop}
run: docker run git.example.org/${{ github.repository }}:${{ github.sha }}
image: git.example.org/${{ github.repository }}:${{ github.sha }}
""",
    "Tekton": "image: $(params.registry)/shop:$(params.tag)\n",
    "Skaffold": "artifacts: [{image: acme/shop:{{.TAG}}}]\n",
    "Jsonnet": "image: 'acme/shop:%s' % tag\n",
    "CUE": 'image: "acme/shop:\\(tag)"\n',
    "bake": 'tags = ["acme/shop:${TAG}"]\n',
    "Dockerfile": "ARG V\nFROM acme/shop:${V}\n",
    "shell": "docker run acme/shop:$(cat VERSION)\n",
    "PowerShell": 'docker run "acme/shop:$env:TAG"\n',
    "batch": "docker run acme/shop:%TAG%\n",
    "Maven": "<image>acme/shop:${project.version}</image>\n",
    "envsubst by sed": "image: acme/shop:@VERSION@\n",
    "placeholder": "image: acme/shop:<version>\n",
    "a tag that is gone": "image: acme/shop:0.9.0\n",
    "another image's tag near by": "repository: acme/shop\nimage: postgres:1.4.2\n",
    "digest from elsewhere": 'image = "acme/shop@${data.docker_registry_image.shop.digest}"\n',
}
