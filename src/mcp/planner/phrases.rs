//! The phrases that are understood: a regular expression for each way of saying something.
//!
//! `{name}` stands for one of [`PARTS`]. A phrase must fit a text from end to end, upper and lower case alike, and the
//! first one that does is taken.

use regex::{Regex, RegexBuilder};

/// Courtesies at the beginning.
pub(super) const BEFORE: &str = r"(?:(?:please|kindly|hey|hi|hello|okay|ok|now|just|borgos|can you|could you|would you|will you|i want you to|i would like you to|i'd like you to|i would like to|i'd like to|i want to|i need to|let's|let us)[,:]? )*";
/// Courtesies at the end.
pub(super) const BEHIND: &str = r"(?:,? (?:please|now|for me|right now|thanks|thank you))+";

/// What phrases are made of.
const PARTS: &[(&str, &str)] = &[
    (
        "{in_project}",
        r"(?: (?:in|of|from|within|inside|for|on|about) (?:the |this |my |that )?project(?: {project_id})?)?",
    ),
    ("{project}", r"(?:the |this |my |that )?project(?: {project_id})?"),
    ("{named_project}", r"(?:the )?project {project_id}"),
    (
        "{deployment}",
        r"(?:the )?(?:deployment|app|service) {num}(?<deployment_id>[0-9]{1,18})",
    ),
    ("{task}", r"(?:the )?task {num}(?<task_id>[0-9]{1,18})"),
    ("{project_id}", r"{num}(?<project_id>[0-9]{1,18})"),
    (
        "{on_port}",
        r"(?:on|to|at|using) (?:the )?port {num}(?<port>[0-9]{1,5})",
    ),
    ("{num}", r"(?:(?:with )?(?:the )?(?:id|number|no\.?|nr\.?) |#)?"),
    (
        "{show}",
        r"(?:list|show|display|get|give|find|fetch|print|see|view|enumerate)(?: me| us)?",
    ),
    (
        "{the}",
        r"(?:(?:all|any|of|the|my|our|every|these|those|a|an|known|currently|current|existing|available) )*",
    ),
    (
        "{are}",
        r"(?: (?:are there|are|exist|there are|is there|do we have|do i have|do you have|do you know|does it have))?",
    ),
    (
        "{how_many}",
        r"(?<count>how many|count|number of|the number of|what is the number of)",
    ),
    (
        "{lang}",
        r"(?<lang>python|py|rust|rs|javascript|js|typescript|ts|golang|go|java|kotlin|swift|ruby|rb|php|perl|c\+\+|c#|c|shell|bash|html|css|sql|markdown|json|yaml|yml|toml|vue|svelte|dockerfile)",
    ),
    (
        "{class}",
        r"(?<class>unit test|tests?|source code|sources?|code|documentation|docs?|generated|vendored|data)",
    ),
    (
        "{tech}",
        r"(?<tech_stack>python|rust|javascript|typescript|go|java|ruby|php|django|flask|fastapi|react|vue|angular|svelte|next\.js|node|express|rails|spring|laravel|docker)",
    ),
    (
        "{status}",
        r"(?<status>running|up|live|pending|building|deploying|starting|unhealthy|sick|restarting|crash_looping|crash[- ]looping|crashing|stopping|stopped|down|failed|failing|broken|cancelled)",
    ),
    (
        "{severity}",
        r"(?<severity>critical|fatal|serious|warnings?|info|debug)",
    ),
    (
        "{file}",
        r#"(?<path>[^\s"'`]*[\w-]\.[\w-]+|[\w.-]+/[^\s"'`]+|dockerfile|makefile|readme|license)"#,
    ),
    ("{usage}", r"(?:usage|usages|use|uses|load)"),
    ("{part}", r"(?:cpu|processor|memory|ram|disk|disk space)"),
];

/// The name of a tool, and a phrase that asks for it.
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "list_projects",
        r"(?:{show} )?{the}projects(?: (?:in|on|of|from) {the}(?:system|machine|server|borgos))?",
    ),
    ("list_projects", r"(?:what|which) projects(?: are known)?{are}"),
    ("list_projects", r"(?:{show} )?{the}(?<active>active|inactive) projects"),
    ("list_projects", r"(?:{show} )?{the}{tech} projects"),
    (
        "list_projects",
        r"{how_many} {the}(?:(?<active>active|inactive) )?projects{are}",
    ),
    (
        "search_projects",
        r"(?:search|look) for {the}projects? (?:about|with|named|called|like|matching|using|for) (?<query>.+)",
    ),
    (
        "search_projects",
        r"{show} {the}projects? (?:about|with|named|called|like|matching|that uses?|using|related to) (?<query>.+)",
    ),
    ("search_projects", r"search {the}projects? (?:for |by )?(?<query>.+)"),
    (
        "search_projects",
        r"which projects? (?:uses?|has|have|is about|are about|contains?|depends? on) (?<query>.+)",
    ),
    (
        "get_project_details",
        r"{show} {the}(?:details?|information|info|scores?|health|summary|overview|status) (?:of|about|for|on) {project}",
    ),
    (
        "get_project_details",
        r"{show} {the}{project}(?: (?:details?|in detail|info|scores?|health|status))?",
    ),
    (
        "get_project_details",
        r"(?:how healthy is|how is|how's|what is the (?:health|status|state|score) of|describe|tell me about|tell us about|analy[sz]e|assess|review|check|check the health of) {project}(?: doing)?",
    ),
    (
        "get_project_details",
        r"what(?:'s| is) (?:wrong|broken) (?:in|with) {project}",
    ),
    (
        "list_files",
        r"(?:{show} )?{the}(?:{lang} )?(?:{class} )?files{in_project}",
    ),
    (
        "list_files",
        r"(?:what|which) (?:{lang} )?(?:{class} )?files{are}{in_project}",
    ),
    (
        "list_files",
        r"(?:what|which) (?:{lang} )?(?:{class} )?files (?:does|has) {project}(?: have| contain)?",
    ),
    (
        "list_files",
        r"{how_many} {the}(?:{lang} )?(?:{class} )?files{are}{in_project}",
    ),
    (
        "list_files",
        r"{how_many} {the}(?:{lang} )?(?:{class} )?files (?:does|has) {project}(?: have| contain)?",
    ),
    ("list_files", r"{show} {the}(?<path>\*?\.\w+) files{in_project}"),
    (
        "list_files",
        r"{show} {the}files (?:matching|named|called|like) (?<path>\S+?){in_project}",
    ),
    (
        "read_file",
        r"(?:read|open|show|display|print|cat|view|get|give)(?: me| us)? (?:the )?(?:contents? of )?(?:the )?(?:file )?{file}{in_project}",
    ),
    (
        "read_file",
        r"what(?:'s| is| does) (?:in|inside|the content of) (?:the )?(?:file )?{file}{in_project}",
    ),
    (
        "list_deployments",
        r"(?:{show} )?{the}(?:{status} )?(?:deployments|apps|services)(?: (?:in|of|across) {the}projects)?{in_project}",
    ),
    (
        "list_deployments",
        r"(?:what|which) (?:deployments?|apps?|services?) (?:is|are|have|has)(?: currently)? {status}{in_project}",
    ),
    (
        "list_deployments",
        r"(?:what|which) (?:deployments|apps|services){are}{in_project}",
    ),
    (
        "list_deployments",
        r"what(?:'s| is)(?: currently)? {status}{in_project}",
    ),
    (
        "list_deployments",
        r"(?:what|which deployment|which app|who) (?:is|runs|listens|uses)(?: running| deployed)?(?: on)? port (?<port>[0-9]{1,5})",
    ),
    (
        "list_deployments",
        r"{how_many} {the}(?:{status} )?(?:deployments|apps|services){are}{in_project}",
    ),
    (
        "list_deployments",
        r"{how_many} {the}(?:deployments|apps|services) (?:are|have)(?: currently)? {status}{in_project}",
    ),
    (
        "get_errors",
        r"(?:{show} )?{the}(?:(?:last|latest|newest|recent) )?(?:(?<limit>[0-9]{1,3}) )?(?:{severity} )?errors?(?: logs?| entries)?(?: (?:in|of|across) {the}projects)?{in_project}",
    ),
    (
        "get_errors",
        r"(?:{show} )?{the}(?:(?:last|latest|newest|recent) )?(?:(?<limit>[0-9]{1,3}) )?(?:{severity} )?errors? (?:of|for|from|in|about) {deployment}",
    ),
    (
        "get_errors",
        r"{show} {the}(?:(?:last|latest|recent) )?(?<severity>warnings){in_project}",
    ),
    (
        "get_errors",
        r"why (?:is|does|did|has|was) {deployment} (?:fail\w*|crash\w*|down|broken|unhealthy|not (?:running|working|healthy|starting)|stop\w*|restart\w*)",
    ),
    (
        "get_errors",
        r"why (?:is|does|did|has|was) {project} (?:fail\w*|crash\w*|down|broken|unhealthy|not (?:running|working|healthy))",
    ),
    ("get_errors", r"what (?:went|is going) wrong(?: (?:with|in) {project})?"),
    ("get_errors", r"what (?:went|is going) wrong (?:with|in) {deployment}"),
    (
        "get_errors",
        r"(?:are there|were there) {the}(?:(?:new|recent) )?(?:{severity} )?errors{in_project}",
    ),
    ("get_errors", r"{how_many} {the}(?:{severity} )?errors{are}{in_project}"),
    (
        "get_task",
        r"{show} {the}(?:status|state|progress|result|output|details) (?:of|for) {task}",
    ),
    ("get_task", r"{show} {task}"),
    (
        "get_task",
        r"(?:how is|how's|what about|is) {task} (?:doing|going|done|finished|running|coming along)",
    ),
    (
        "get_task",
        r"what (?:is the (?:status|state|result|output) of|happened to|came of) {task}",
    ),
    (
        "system_status",
        r"(?:{show} )?{the}(?:system|machine|server) (?:status|health|state|load|resources)",
    ),
    ("system_status", r"status|health"),
    (
        "system_status",
        r"(?:how is|how's|how are) (?:the |this )?(?:system|machine|server|things|borgos)(?: doing)?",
    ),
    (
        "system_status",
        r"how much {part} (?:is|do we have|are)(?: (?:used|free|left|in use|available))?",
    ),
    ("system_status", r"(?:{show}|what is) {the}{part} {usage}"),
    (
        "list_actors",
        r"(?:{show} )?{the}(?:actors|actor tree|supervision tree|tree of actors)",
    ),
    (
        "list_actors",
        r"(?:what|which) actors (?:are there|are running|run|exist|are alive)",
    ),
    ("list_actors", r"how are (?:the )?actors(?: doing)?"),
    (
        "search_code",
        r"(?:search|grep|look)(?: (?:in |through )?{the}(?:code|sources?|codebase|files))? for (?:the )?(?:function |class |method |word |string |text )?(?<query>.+?){in_project}",
    ),
    (
        "search_code",
        r"(?:search|grep) (?:the )?code (?<query>.+?){in_project}",
    ),
    (
        "search_code",
        r"(?:where|in which files?) (?:is|are|do we|does the code) (?:the )?(?:function |class |method )?(?<query>\S+) (?:defined|used?|called|declared|implemented|imported){in_project}",
    ),
    (
        "search_code",
        r"{show} {the}(?:code|lines|usages?|uses|references|occurrences|definitions?|calls)(?: (?:of|to|for|with|containing|matching)) (?<query>.+?){in_project}",
    ),
    // What follows changes something.
    (
        "scan_project",
        r"(?:scan|rescan|re-scan|index|reindex) {named_project}(?: again)?",
    ),
    (
        "scan_project",
        r"(?:start|run|request|trigger) (?:a |another |a new )?(?:fresh )?scan (?:of|for|on) {named_project}",
    ),
    ("scan_project", r"refresh (?:the )?(?:scan|index) of {named_project}"),
    (
        "deploy_project",
        r"(?:deploy|launch|run|ship|publish|host|bring up) {named_project} {on_port}(?: (?:as|named|called|under the name) (?<name>[\w-]+))?",
    ),
    (
        "deploy_project",
        r"(?:make|create|start) a (?:new )?deployment (?:of|for) {named_project} {on_port}",
    ),
    (
        "stop_deployment",
        r"(?:stop|halt|shut down|shutdown|take down|bring down|turn off) {deployment}",
    ),
    (
        "restart_deployment",
        r"(?:restart|reboot|bounce|start) {deployment}(?: again)?",
    ),
    (
        "rollback_deployment",
        r"(?:roll ?back|revert|switch|take) {deployment}(?: back)? to (?:the )?(?:release|version) {num}(?<release>[0-9]{1,9})",
    ),
    (
        "rollback_deployment",
        r"roll {deployment} back to (?:the )?(?:release|version) {num}(?<release>[0-9]{1,9})",
    ),
    (
        "rollback_deployment",
        r"(?:go back|return) to (?:the )?(?:release|version) {num}(?<release>[0-9]{1,9}) (?:of|on|for|in) {deployment}",
    ),
    ("cancel_task", r"(?:cancel|abort|call off|stop|end|kill) {task}"),
    (
        "create_task",
        r"(?:create|add|queue|start|make) (?:a |another )?(?:new )?(?:(?<task_type>[\w-]+) )?task for (?:the )?(?:agent )?(?<agent_type>[\w-]+)(?: (?:on|in|about|for) {named_project})?(?:: ?| to )(?<description>.+)",
    ),
    (
        "create_task",
        r"(?:ask|tell|have|let) (?:the )?agent (?<agent_type>[\w-]+)(?: to)? (?<description>.+?)(?: (?:in|on|for) {named_project})?",
    ),
    (
        "create_task",
        r"(?:give|assign|hand) (?:the )?agent (?<agent_type>[\w-]+) (?:the|a) task(?:: ?| to )(?<description>.+)",
    ),
    (
        "log_error",
        r"(?:log|record|report) (?:a |an )?(?:{severity} )?error(?: of type (?<error_type>[\w-]+))?(?: (?:for|in|about) {named_project})?(?:: ?| saying | that says )(?<message>.+)",
    ),
    (
        "log_error",
        r"(?:log|record|report) (?:a |an )?(?<severity>warning)(?: (?:for|in|about) {named_project})?(?:: ?| saying | that says )(?<message>.+)",
    ),
    (
        "log_error",
        r"write (?:a |an )?(?:{severity} )?error into the error log(?: (?:for|in|about) {named_project})?: ?(?<message>.+)",
    ),
    (
        "restart_actor",
        r"(?:restart|replace) (?:the )?actor (?<actor>[\w./-]+)",
    ),
    (
        "restart_actor",
        r"(?:restart|replace) (?:the )?(?<actor>[\w./-]+) actor",
    ),
    (
        "restart_actor",
        r"put a (?:fresh|new) actor in the place of (?<actor>[\w./-]+)",
    ),
];

/// Makes the regular expression of a phrase.
pub(super) fn compiled(phrase: &str) -> Regex {
    let mut pattern = phrase.to_owned();
    // Parts stand before the parts that they are made of.
    for (name, part) in PARTS {
        pattern = pattern.replace(name, part);
    }
    let pattern = match phrase {
        BEFORE => format!("^{pattern}"),
        BEHIND => format!("{pattern}$"),
        _ => format!("^(?:{pattern})$"),
    };
    let regex = RegexBuilder::new(&pattern).case_insensitive(true).build();
    regex.expect("every phrase is a regular expression, which a test checks")
}
