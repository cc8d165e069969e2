<?php

class TopicTest
{
}
