plugins {
    kotlin("jvm") version "2.0.0"
    application
}

dependencies {
    implementation("io.ktor:ktor-server-core:2.3.11")
    implementation(libs.jedis)
    testImplementation("org.junit.jupiter:junit-jupiter:5.10.2")
}
