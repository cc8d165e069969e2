<?php

namespace App;

class Topic
{
    public function title(): string
    {
        return "a" . ;
    }
}
