use serde_json::{Value, json};

/// What is said, and what it means where nothing else is known.
pub(super) fn phrasings() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("List all projects", "list_projects", json!({})),
        ("what projects are there?", "list_projects", json!({})),
        (
            "Please show me my inactive projects",
            "list_projects",
            json!({"active": false}),
        ),
        ("list Django projects", "list_projects", json!({"tech_stack": "django"})),
        ("Show project 3", "get_project_details", json!({"project_id": 3})),
        (
            "what is the health of project #12",
            "get_project_details",
            json!({"project_id": 12}),
        ),
        ("analyse project 4", "get_project_details", json!({"project_id": 4})),
        (
            "get details about project number 5, please",
            "get_project_details",
            json!({"project_id": 5}),
        ),
        ("scan project 2", "scan_project", json!({"project_id": 2})),
        (
            "Could you rescan project #2 again?",
            "scan_project",
            json!({"project_id": 2}),
        ),
        (
            "start a fresh scan of project 7",
            "scan_project",
            json!({"project_id": 7}),
        ),
        (
            "search for projects about authentication",
            "search_projects",
            json!({"query": "authentication"}),
        ),
        (
            "find projects using FastAPI",
            "search_projects",
            json!({"query": "FastAPI"}),
        ),
        (
            "which projects use postgres?",
            "search_projects",
            json!({"query": "postgres"}),
        ),
        (
            "search for authenticate_user",
            "search_code",
            json!({"query": "authenticate_user"}),
        ),
        (
            "grep the code for \"fn main\" in project 3",
            "search_code",
            json!({"query": "fn main", "project_id": 3}),
        ),
        (
            "Where is the function add_item defined?",
            "search_code",
            json!({"query": "add_item"}),
        ),
        (
            "find references to Config in project 9",
            "search_code",
            json!({"query": "Config", "project_id": 9}),
        ),
        (
            "List all Python files in project 1",
            "list_files",
            json!({"project_id": 1, "lang": "Python", "limit": 1000}),
        ),
        (
            "which test files are in project 2",
            "list_files",
            json!({"project_id": 2, "class": "test", "limit": 1000}),
        ),
        (
            "show *.toml files in project 2",
            "list_files",
            json!({"project_id": 2, "path": "*.toml", "limit": 1000}),
        ),
        (
            "list ts files of project 2",
            "list_files",
            json!({"project_id": 2, "lang": "TypeScript", "limit": 1000}),
        ),
        (
            "how many rust files does project 8 have?",
            "list_files",
            json!({"project_id": 8, "lang": "rust"}),
        ),
        (
            "read src/main.py in project 1",
            "read_file",
            json!({"project_id": 1, "path": "src/main.py"}),
        ),
        (
            "show me the contents of the file README.md of project 1",
            "read_file",
            json!({"project_id": 1, "path": "README.md"}),
        ),
        (
            "what's in Dockerfile of project 6",
            "read_file",
            json!({"project_id": 6, "path": "Dockerfile"}),
        ),
        ("list deployments", "list_deployments", json!({})),
        ("Which apps are down?", "list_deployments", json!({"status": "stopped"})),
        (
            "show crash looping deployments of project 2",
            "list_deployments",
            json!({"status": "crash_looping", "project_id": 2}),
        ),
        ("what runs on port 8090?", "list_deployments", json!({"port": 8090})),
        (
            "how many deployments are running",
            "list_deployments",
            json!({"status": "running"}),
        ),
        (
            "deploy project 3 on port 8091",
            "deploy_project",
            json!({"project_id": 3, "port": 8091}),
        ),
        (
            "launch project #3 at port 8091 as shop-test",
            "deploy_project",
            json!({"project_id": 3, "port": 8091, "name": "shop-test"}),
        ),
        (
            "Please create a deployment of project 3 on port 80",
            "deploy_project",
            json!({"project_id": 3, "port": 80}),
        ),
        ("stop deployment 4", "stop_deployment", json!({"deployment_id": 4})),
        (
            "please shut down the app number 4",
            "stop_deployment",
            json!({"deployment_id": 4}),
        ),
        (
            "Can you take down deployment #4 for me?",
            "stop_deployment",
            json!({"deployment_id": 4}),
        ),
        (
            "restart deployment 4",
            "restart_deployment",
            json!({"deployment_id": 4}),
        ),
        ("bounce service 4", "restart_deployment", json!({"deployment_id": 4})),
        (
            "I want you to start deployment 4 again",
            "restart_deployment",
            json!({"deployment_id": 4}),
        ),
        (
            "roll back deployment 4 to release 2",
            "rollback_deployment",
            json!({"deployment_id": 4, "release": 2}),
        ),
        (
            "revert app 4 to version 2",
            "rollback_deployment",
            json!({"deployment_id": 4, "release": 2}),
        ),
        (
            "go back to release #2 of deployment 4",
            "rollback_deployment",
            json!({"deployment_id": 4, "release": 2}),
        ),
        (
            "show the last 5 critical errors",
            "get_errors",
            json!({"limit": 5, "severity": "critical"}),
        ),
        (
            "why is deployment 7 failing?",
            "get_errors",
            json!({"deployment_id": 7}),
        ),
        ("what went wrong in project 2", "get_errors", json!({"project_id": 2})),
        (
            "show warnings of project 2",
            "get_errors",
            json!({"severity": "warning", "project_id": 2}),
        ),
        (
            "log an error for project 2: cart total is negative",
            "log_error",
            json!({"error_type": "reported", "severity": "error", "project_id": 2, "message": "cart total is negative"}),
        ),
        (
            "record a critical error of type runtime: out of memory",
            "log_error",
            json!({"error_type": "runtime", "severity": "critical", "message": "out of memory"}),
        ),
        (
            "report a warning: the disk is nearly full",
            "log_error",
            json!({"error_type": "reported", "severity": "warning", "message": "the disk is nearly full"}),
        ),
        (
            "create a task for agent coder: fix the tests",
            "create_task",
            json!({"agent_type": "coder", "task_type": "general", "description": "fix the tests"}),
        ),
        (
            "ask agent agent-zero to review the API in project 3",
            "create_task",
            json!({"agent_type": "agent-zero", "task_type": "general", "description": "review the API", "project_id": 3}),
        ),
        (
            "queue a code_review task for coder on project 3: look at auth.py",
            "create_task",
            json!({"agent_type": "coder", "task_type": "code_review", "description": "look at auth.py", "project_id": 3}),
        ),
        ("show task 5", "get_task", json!({"task_id": 5})),
        ("how is task 5 going?", "get_task", json!({"task_id": 5})),
        ("what happened to task #5", "get_task", json!({"task_id": 5})),
        ("cancel task 5", "cancel_task", json!({"task_id": 5})),
        ("please abort the task 5", "cancel_task", json!({"task_id": 5})),
        ("call off task number 5", "cancel_task", json!({"task_id": 5})),
        ("system status", "system_status", json!({})),
        ("How is the machine doing?", "system_status", json!({})),
        ("how much memory is free", "system_status", json!({})),
        ("list actors", "list_actors", json!({})),
        ("show the supervision tree", "list_actors", json!({})),
        ("which actors are running?", "list_actors", json!({})),
        (
            "restart actor event-bus",
            "restart_actor",
            json!({"actor": "event-bus"}),
        ),
        (
            "replace the actor deployment/3",
            "restart_actor",
            json!({"actor": "deployment/3"}),
        ),
        (
            "restart the search-index actor",
            "restart_actor",
            json!({"actor": "search-index"}),
        ),
    ]
}
