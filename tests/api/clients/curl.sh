# Get projects
curl http://localhost:8081/api/v1/projects

# Deploy project
curl -X POST http://localhost:8081/api/v1/deploy \
  -H "Content-Type: application/json" \
  -d '{"project_id": 1, "port": 8090, "name": "my-deployment"}'

# Execute Agent Zero task
curl -X POST http://localhost:8081/api/v1/agent-zero/execute \
  -H "Content-Type: application/json" \
  -d '{
    "type": "code_execution",
    "description": "Analyze code quality",
    "prompt": "Review the Python code and suggest improvements"
  }'
