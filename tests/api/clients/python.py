import requests

class BorgOSClient:
    def __init__(self, base_url="http://localhost:8081"):
        self.base_url = base_url
        self.session = requests.Session()
    
    def get_projects(self):
        response = self.session.get(f"{self.base_url}/api/v1/projects")
        return response.json()
    
    def deploy_project(self, project_id, port):
        data = {
            "project_id": project_id,
            "port": port,
            "name": f"deployment-{port}"
        }
        response = self.session.post(f"{self.base_url}/api/v1/deploy", json=data)
        return response.json()

# Usage
client = BorgOSClient()
projects = client.get_projects()
deployment = client.deploy_project(1, 8090)
