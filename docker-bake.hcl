# The images of the stack. Every variable below is read from the environment, so that another
# application is built without a change here:
#
#   BACKEND_CONTEXT=../my-app/api BACKEND_COMMAND='uvicorn main:app --host 0.0.0.0 --port 8000' \
#     docker buildx bake --allow=fs.read=../my-app/api backend
#
# Paths are relative to the folder in which bake is started; a folder outside of that one has to be
# allowed, as above.

group "default" {
  targets = ["frontend", "backend", "mcp-server", "ai-agent", "database", "local-model"]
}

# --- what is built ---

variable "FRONTEND_CONTEXT" {
  default = "app/frontend"
}

variable "BACKEND_CONTEXT" {
  default = "app/backend"
}

variable "MCP_SERVER_CONTEXT" {
  default = "app/mcp-server"
}

variable "AI_AGENT_CONTEXT" {
  default = "app/ai-agent"
}

variable "DATABASE_CONTEXT" {
  default = "app/database"
}

variable "LOCAL_MODEL_CONTEXT" {
  default = "app/local-model"
}

# --- how it is built: a Dockerfile of the application's own is relative to its context ---

variable "FRONTEND_DOCKERFILE" {
  default = "cwd://docker/frontend/Dockerfile"
}

variable "BACKEND_DOCKERFILE" {
  default = "cwd://docker/backend/Dockerfile"
}

variable "MCP_SERVER_DOCKERFILE" {
  default = "cwd://docker/mcp-server/Dockerfile"
}

variable "AI_AGENT_DOCKERFILE" {
  default = "cwd://docker/ai-agent/Dockerfile"
}

variable "DATABASE_DOCKERFILE" {
  default = "cwd://docker/database/Dockerfile"
}

variable "LOCAL_MODEL_DOCKERFILE" {
  default = "cwd://docker/local-model/Dockerfile"
}

# --- how the Python services start and what pip is told; empty is what the Dockerfile says ---

variable "BACKEND_COMMAND" {
  default = ""
}

variable "MCP_SERVER_COMMAND" {
  default = ""
}

variable "AI_AGENT_COMMAND" {
  default = ""
}

variable "PIP_OPTIONS" {
  default = ""
}

# --- base images, to pin them by digest or to take them from a mirror ---

variable "PYTHON_IMAGE" {
  default = "python:3.11-slim"
}

variable "NODE_IMAGE" {
  default = "node:24-alpine"
}

variable "NGINX_IMAGE" {
  default = "nginx:1.28-alpine"
}

variable "POSTGRES_IMAGE" {
  default = "postgres:15-bookworm"
}

variable "BLACKBOX_IMAGE" {
  default = "prom/blackbox-exporter:v0.27.0"
}

# --- for all of them ---

# Such as "linux/amd64,linux/arm64"; empty is the platform of the builder.
variable "PLATFORMS" {
  default = ""
}

# The time that files get, in seconds; empty is what the caller says: build-images says 1980-01-01, so that
# builds can be repeated (docs/images.md), and bake by itself says now.
variable "SOURCE_DATE_EPOCH" {
  default = ""
}

# Labels. Left empty they do not make a new image out of every commit.
variable "VERSION" {
  default = ""
}

variable "REVISION" {
  default = ""
}

variable "SOURCE" {
  default = ""
}

target "_all" {
  platforms = PLATFORMS == "" ? [] : split(",", PLATFORMS)
  args = {
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH == "" ? null : SOURCE_DATE_EPOCH
    VERSION           = VERSION == "" ? null : VERSION
    REVISION          = REVISION == "" ? null : REVISION
    SOURCE            = SOURCE == "" ? null : SOURCE
  }
}

target "_python" {
  inherits = ["_all"]
  contexts = { delivery = "docker/python" }
  args = {
    PYTHON_IMAGE = PYTHON_IMAGE
    PIP_OPTIONS  = PIP_OPTIONS == "" ? null : PIP_OPTIONS
  }
}

target "frontend" {
  inherits   = ["_all"]
  context    = FRONTEND_CONTEXT
  contexts   = { delivery = "docker/frontend" }
  dockerfile = FRONTEND_DOCKERFILE
  tags       = ["todo/frontend"]
  args = {
    NODE_IMAGE = NODE_IMAGE
  }
}

# The same pages as files behind nginx; not in the group, because it is one frontend or the other.
target "frontend-static" {
  inherits = ["frontend"]
  target   = "static"
  tags     = ["todo/frontend-static"]
  args = {
    NGINX_IMAGE  = NGINX_IMAGE
    PYTHON_IMAGE = PYTHON_IMAGE
  }
}

target "backend" {
  inherits   = ["_python"]
  context    = BACKEND_CONTEXT
  dockerfile = BACKEND_DOCKERFILE
  tags       = ["todo/backend"]
  args = {
    START_COMMAND = BACKEND_COMMAND == "" ? null : BACKEND_COMMAND
  }
}

target "mcp-server" {
  inherits   = ["_python"]
  context    = MCP_SERVER_CONTEXT
  dockerfile = MCP_SERVER_DOCKERFILE
  tags       = ["todo/mcp-server"]
  args = {
    START_COMMAND = MCP_SERVER_COMMAND == "" ? null : MCP_SERVER_COMMAND
  }
}

target "ai-agent" {
  inherits   = ["_python"]
  context    = AI_AGENT_CONTEXT
  dockerfile = AI_AGENT_DOCKERFILE
  tags       = ["todo/ai-agent"]
  args = {
    START_COMMAND = AI_AGENT_COMMAND == "" ? null : AI_AGENT_COMMAND
  }
}

target "database" {
  inherits   = ["_all"]
  context    = DATABASE_CONTEXT
  dockerfile = DATABASE_DOCKERFILE
  tags       = ["todo/database"]
  args = {
    POSTGRES_IMAGE = POSTGRES_IMAGE
  }
}

target "local-model" {
  inherits   = ["_all"]
  context    = LOCAL_MODEL_CONTEXT
  dockerfile = LOCAL_MODEL_DOCKERFILE
  tags       = ["todo/local-model"]
  args = {
    PYTHON_IMAGE = PYTHON_IMAGE
  }
}

# For the component `monitoring`; not in the group, since it is of use there only.
target "health-exporter" {
  inherits   = ["_all"]
  context    = "docker/health-exporter"
  dockerfile = "Dockerfile"
  tags       = ["todo/health-exporter"]
  args = {
    BLACKBOX_IMAGE = BLACKBOX_IMAGE
  }
}
