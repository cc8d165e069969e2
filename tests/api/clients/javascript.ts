class BorgOSClient {
  private baseUrl: string;

  constructor(baseUrl = "http://localhost:8081") {
    this.baseUrl = baseUrl;
  }

  async getProjects(): Promise<Project[]> {
    const response = await fetch(`${this.baseUrl}/api/v1/projects`);
    return response.json();
  }

  async deployProject(projectId: number, port: number): Promise<Deployment> {
    const response = await fetch(`${this.baseUrl}/api/v1/deploy`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        project_id: projectId,
        port: port,
        name: `deployment-${port}`
      })
    });
    return response.json();
  }
}

// Usage
const client = new BorgOSClient();
const projects = await client.getProjects();
const deployment = await client.deployProject(1, 8090);
